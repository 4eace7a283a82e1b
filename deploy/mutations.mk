.PHONY: mutations
mutations: set-up ## Put deliberate bugs into copies of the tree and show that the tests catch each of them
	@PYTHONPATH=tests/support $(VENV)/python tests/mutations/run.py
