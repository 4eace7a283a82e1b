# The only door to this repository: people and CI use the same targets. Longer recipes are scripts.
SHELL := bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv/bin
ITEMS ?= 1000
MINUTES ?= 10
CHANGES ?= 200000
LEAST ?= 50
# Tests wait more than they compute: for processes to start, buffers to fill, locks to pass.
WORKERS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
CACHE := .local/cache
PYTEST := $(VENV)/pytest
export PYTHON

.PHONY: help
help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}' | sed 's/: .*##//'

.PHONY: set-up
set-up: ## Install exactly what is locked into .venv, and a database server if there is none (the others do this first)
	@deploy/local/set-up.sh
	@deploy/local/ensure-database.sh

.PHONY: demo
demo: set-up ## Replicate ITEMS generated items end to end on this machine, and prove it (no Docker)
	@$(VENV)/python -m local_aws.demo --items $(ITEMS) --cache $(CACHE)

.PHONY: local-up local-down
local-up: set-up ## Keep the embedded stack running; writes .local/env
	@$(VENV)/python -m local_aws.stack up

local-down: ## End the embedded stack
	@[ ! -d .venv ] || $(VENV)/python -m local_aws.stack down

.PHONY: test test-long test-unit test-deep
test: set-up ## Run the tests that need no Docker, but for the longest, and measure branch coverage
	@$(PYTEST) --numprocesses $(WORKERS) --dist loadfile -m "not long" --cov --cov-report=term

test-long: set-up ## Run the tests that try many orders or many examples, for minutes
	@$(PYTEST) --numprocesses $(WORKERS) --dist load -m long

test-unit: set-up ## Run the tests that need no service (seconds)
	@$(PYTEST) tests/unit

test-deep: SEED := $(or $(SEED),$(shell od -An -N4 -tu4 /dev/urandom | tr -d ' '))
test-deep: set-up ## Run the tests with many random examples; prints the seed, and SEED=n draws the same ones again
	@HYPOTHESIS_PROFILE=deep $(PYTEST) --hypothesis-seed=$(SEED) tests/unit tests/integration; status=$$?; \
		echo "repeat these examples: make test-deep SEED=$(SEED)"; exit $$status

.PHONY: chaos
chaos: set-up ## Attack the whole path with faults at every hop for MINUTES, then account for every one of CHANGES
	@$(VENV)/ddb2aurora chaos --minutes $(MINUTES) --changes $(CHANGES) --least $(LEAST) --cache $(CACHE) $(if $(SEED),--seed $(SEED))

.PHONY: check
check: set-up ## Format, lint, types, import contracts, templates: run everything, then report
	@deploy/check.sh

.PHONY: docs
docs: set-up ## Write the pages of docs/ that are made from code
	@$(VENV)/python deploy/docs.py

.PHONY: fmt
fmt: set-up ## Rewrite files in the one format
	@$(VENV)/ruff format . && $(VENV)/ruff check --fix .

.PHONY: lock
lock: set-up ## Compile all requirement files anew, together
	@PATH="$(CURDIR)/$(VENV):$$PATH" deploy/lock-requirements.sh

# What needs a Docker engine: images, test-images, test-system, push-images and others.
include deploy/images.mk
# Deliberate bugs that tests must catch.
include deploy/mutations.mk
# The loader's tests on MySQL.
include deploy/mysql.mk
# Which emulator keeps the rules of Firehose.
include deploy/conformance.mk
# Environments on AWS: plan-deploy, deploy, destroy.
include deploy/aws.mk
# A backfill under fire.
include deploy/drill.mk
# Benchmarks: bench.
include deploy/bench.mk
