"""Fixtures of the tests of plan."""

from planning_fixtures import tables

__all__ = ["tables"]
