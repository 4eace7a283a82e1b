# Environments on AWS: parameters in deploy/aws/parameters/<ENV>.json. docs/deploy.md says the rest.
REGION ?=
PUSH ?= auto
DATA ?= keep
NEEDS_ENV = $(if $(ENV),,@echo "ENV is missing: name the environment, such as make $@ ENV=dev" >&2; exit 2)
DEPLOY_AWS := $(VENV)/python -m deploy_aws
DEPLOY_OPTIONS = "$(ENV)" $(if $(REGION),--region $(REGION)) $(if $(JSON),--json)

.PHONY: deploy plan-deploy destroy
deploy: ## Bring an environment on AWS to what its files say, from nothing or from any state: ENV=, PUSH=auto, never or always
	$(NEEDS_ENV)
	@deploy/local/set-up.sh
	@$(DEPLOY_AWS) deploy $(DEPLOY_OPTIONS) --push $(PUSH) $(if $(filter no,$(SMOKE)),--no-smoke) $(if $(CONTINUE_ROLLBACK),--continue-rollback)

plan-deploy: ## Show what make deploy would change on AWS, and change nothing: ENV=
	$(NEEDS_ENV)
	@deploy/local/set-up.sh
	@$(DEPLOY_AWS) plan $(DEPLOY_OPTIONS)

destroy: ## Take an environment on AWS down; its data stays unless DATA=delete says otherwise: ENV=
	$(NEEDS_ENV)
	@deploy/local/set-up.sh
	@$(DEPLOY_AWS) destroy $(DEPLOY_OPTIONS) --data $(DATA) $(if $(FORCE),--force) $(if $(filter failed,$(LEAVE)),--leave-failed)
