"""The harness of tests/bench: measure in turns, keep the figures, write the page."""
