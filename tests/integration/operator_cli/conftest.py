"""Fixtures of the operator's tests."""

from loader_fixtures import make_target, target
from operator_fixtures import make_operator_world, operator_world
from verify_fixtures import make_pair, pair

__all__ = ["make_operator_world", "make_pair", "make_target", "operator_world", "pair", "target"]
