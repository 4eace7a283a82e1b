"""Fixtures of the database's tests."""

from loader_fixtures import make_target, target

__all__ = ["make_target", "target"]
