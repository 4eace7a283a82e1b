"""Fixtures of the tests of backfill."""

from backfill_fixtures import make_backfill_world, world
from loader_fixtures import make_target, target

__all__ = ["make_backfill_world", "make_target", "target", "world"]
