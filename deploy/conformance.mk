.PHONY: conformance
conformance: set-up engine ## Look which emulator keeps the rules of Firehose, into docs/conformance.md
	@PYTHONPATH=tests/support $(VENV)/python tests/conformance/run.py docs/conformance.md $(LOCALSTACK_IMAGE)
