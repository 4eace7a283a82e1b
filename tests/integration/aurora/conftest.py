"""Fixtures of the tests of Aurora's stand-in."""

from loader_fixtures import make_target, target

__all__ = ["make_target", "target"]
