"""Fixtures of the tests of plan."""

from loader_fixtures import make_target
from planning_fixtures import tables

__all__ = ["make_target", "tables"]
