"""Fixtures of the operator's tests."""

from loader_fixtures import make_target, target

__all__ = ["make_target", "target"]
