# Benchmarks beside what a user would pick instead.
BENCH ?=

.PHONY: bench
bench: set-up ## Measure beside the alternatives, into docs/performance.md; BENCH="transformer …" measures some parts anew
	@tests/bench/bench.sh $(BENCH)
