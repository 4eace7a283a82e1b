"""Fixtures of the tests of rebuild."""

from loader_fixtures import make_target, target
from operator_fixtures import make_operator_world, operator_world
from rebuild_fixtures import history, make_history

__all__ = ["history", "make_history", "make_operator_world", "make_target", "operator_world", "target"]
