"""The names of the tables beside the target: each one that MySQL accepts, whatever the target is called."""

from datetime import UTC, datetime

import pytest

from ddb2aurora.sql import quote_name
from operator_cli.rebuilding.runs import id_at
from operator_cli.rebuilding.shadow import old_table, shadow_table, tombstones_of

MOMENT = datetime(2026, 1, 5, 10, 0, 0, 123_999, tzinfo=UTC)


@pytest.mark.parametrize("name_of", [shadow_table, old_table])
@pytest.mark.parametrize("target", ["T", "T" * 52, "ü" * 52])
def test_a_name_is_one_that_mysql_accepts_and_that_of_its_tombstones_as_well(name_of, target):
    name = name_of(target, id_at(MOMENT))

    assert quote_name(name, tombstones_of(name))


def test_a_name_says_whose_table_it_is_and_since_when():
    moment = id_at(MOMENT)

    assert shadow_table("Things", moment) == "Things__rebuild_20260105_100000_123"
    assert old_table("Things", moment) == "Things__old_20260105_100000_123"
