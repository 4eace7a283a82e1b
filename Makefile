# The only door to this repository: people and CI use the same targets. Longer recipes are scripts.
SHELL := bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv/bin
export PYTHON

.PHONY: help
help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: set-up
set-up: ## Install exactly what is locked into .venv (every other target does this first)
	@deploy/local/set-up.sh

.PHONY: lock
lock: set-up ## Compile all requirement files anew, together
	@PATH="$(CURDIR)/$(VENV):$$PATH" deploy/lock-requirements.sh

.PHONY: fmt
fmt: set-up ## Rewrite files in the one format
	@$(VENV)/ruff format . && $(VENV)/ruff check --fix .
