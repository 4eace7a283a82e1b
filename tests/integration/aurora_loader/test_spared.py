"""
What a load leaves out when nothing depends on it, and what it does not: the look at the tombstones of a file's keys,
and a second pass over its rows to count them.

A statement that is left out shows in no row, so these tests listen to what the loader says to the server.
"""
# ruff: noqa: S608 - tests name their own tables

import pytest
from loader_fixtures import a_column, a_delete, a_pipeline, a_soft_delete, an_upsert

from aurora_loader.outcome import Outcome
from ddb2aurora.database.applying.guarded import GuardedStatements
from ddb2aurora.database.connection import DatabaseConnection

STEPS = ("remember", "remember_soft", "probe", "upsert", "upsert_all", "probe_now", "look", "bury", "stamp")
SPARED = ["probe", "upsert_all", "probe_now"]


class HeardConnection(DatabaseConnection):
    """A connection that keeps what is said over it."""

    def run(self, statement, arguments=()):
        self.heard.append(statement)
        return super().run(statement, arguments)

    def rows(self, statement, arguments=()):
        self.heard.append(statement)
        return super().rows(statement, arguments)


def said_to_load(target, *rows, key="last.csv"):
    """Load *rows* and return what was said to the server."""
    heard: list[str] = []

    def connect(settings):
        connection, server = target.connect(settings)
        connection.__class__ = HeardConnection
        connection.heard = heard
        return connection, server

    target.make_loader(connect=connect).load(target.put(*rows, key=key), time=target.time)
    return heard


def steps_of(target, *rows, key="last.csv"):
    """Load *rows* and return which statements of the apply ran."""
    heard = said_to_load(target, *rows, key=key)
    statements = GuardedStatements.of(target.tables, target.pipeline)
    names = {getattr(statements, step): step for step in STEPS}
    return [names[statement] for statement in heard if statement in names]


@pytest.fixture
def soft(make_target):
    return make_target(a_pipeline(mode="soft_delete"))


def test_a_file_without_deletes_is_spared_where_nothing_was_deleted(target):
    assert steps_of(target, an_upsert(target.pipeline, 1, "a", "x")) == SPARED


def test_a_file_whose_rows_are_all_newer_than_any_delete_is_spared(target):
    target.load(a_delete(target.pipeline, 9, "a"), key="1.csv")

    steps = steps_of(target, an_upsert(target.pipeline, 12, "b", "x"), an_upsert(target.pipeline, 10, "a", "x"))

    assert steps == SPARED
    assert target.rows() == (("a", "x"), ("b", "x"))


@pytest.mark.parametrize("version", [9, 10, 2**70])
def test_one_row_that_is_no_newer_than_a_delete_of_any_key_has_all_looked_at(target, version):
    target.load(a_delete(target.pipeline, 2**70, "other"), key="1.csv")

    steps = steps_of(target, an_upsert(target.pipeline, 2**71, "b", "x"), an_upsert(target.pipeline, version, "a", "x"))

    assert steps == ["probe", "upsert", "look"]


def test_a_row_as_new_as_a_delete_of_its_key_loses_and_is_stale(target):
    target.load(a_delete(target.pipeline, 10, "a"), key="1.csv")

    outcome = target.load(an_upsert(target.pipeline, 10, "a", "x"), an_upsert(target.pipeline, 11, "b", "y"))

    assert outcome == Outcome(rows=2, applied=1, stale=1, newest_changed_at_ms=1000)
    assert target.rows() == (("b", "y"),)


def test_a_file_with_a_delete_looks_and_buries(target):
    steps = steps_of(target, an_upsert(target.pipeline, 1, "a", "x"), a_delete(target.pipeline, 2, "a"))

    assert steps == ["remember", "upsert", "look", "bury"]
    assert target.rows() == ()


def test_a_backfilled_row_has_all_looked_at(target):
    target.load(a_delete(target.pipeline, 5, "a"), key="1.csv")

    steps = steps_of(target, an_upsert(target.pipeline, 0, "a", "x"), an_upsert(target.pipeline, 9, "b", "x"))

    assert steps == ["probe", "upsert", "look", "bury"]
    assert target.rows() == (("b", "x"),)


def test_a_soft_delete_counts_as_well_where_rows_are_stamped(soft):
    soft.load(a_soft_delete(soft.pipeline, 9, "a"), key="1.csv")

    assert steps_of(soft, an_upsert(soft.pipeline, 10, "a", "x"), key="2.csv") == SPARED
    assert steps_of(soft, an_upsert(soft.pipeline, 9, "b", "x"), key="3.csv") == ["probe", "upsert", "look"]
    steps = steps_of(soft, an_upsert(soft.pipeline, 8, "c", "x"), a_soft_delete(soft.pipeline, 9, "c"), key="4.csv")
    assert steps == ["remember_soft", "upsert", "look", "bury", "stamp"]


def test_a_hard_delete_counts_as_well_where_rows_are_stamped(soft):
    soft.load(a_delete(soft.pipeline, 9, "a"), key="1.csv")

    assert steps_of(soft, an_upsert(soft.pipeline, 9, "a", "x")) == ["probe", "upsert", "look", "bury", "stamp"]
    assert soft.rows() == ()


def test_a_row_that_a_soft_delete_has_beaten_before_it_came_is_stamped_at_once(soft):
    soft.load(a_soft_delete(soft.pipeline, 9, "a", changed_at_ms=2000), key="1.csv")

    soft.load(an_upsert(soft.pipeline, 8, "a", "x"))

    assert soft.rows("id, name, CAST(_deleted_at AS CHAR)") == (("a", "x", "1970-01-01 00:00:02.000"),)


def counts_in(said):
    return [statement for statement in said if statement.startswith("SELECT COUNT(") and "_staging`" in statement]


def test_what_an_object_holds_beside_upserts_is_counted_only_if_there_is_any(target):
    upsert, delete = an_upsert(target.pipeline, 1, "a", "x"), a_delete(target.pipeline, 2, "b")

    of_an_upsert = counts_in(said_to_load(target, upsert, key="1.csv"))
    of_both = counts_in(said_to_load(target, upsert, delete, key="2.csv"))

    assert [" WHERE " in statement for statement in of_an_upsert] == [False]
    assert [" WHERE " in statement for statement in of_both] == [False, True]


def in_the_order_written(target):
    """Make the database note the order in which rows are inserted, and return how to read it."""
    noted = f"`{target.database.name}`.noted"
    target.query(f"CREATE TABLE {noted} (n int AUTO_INCREMENT PRIMARY KEY, id varchar(40))")
    target.query(
        f"CREATE TRIGGER `{target.database.name}`.note BEFORE INSERT ON {target.name()} FOR EACH ROW "
        f"INSERT INTO {noted} (id) VALUES (NEW.id)"
    )
    return lambda: [key for (key,) in target.query(f"SELECT id FROM {noted} ORDER BY n")]


def test_rows_are_written_in_the_order_of_their_keys(target):
    written = in_the_order_written(target)

    target.load(*(an_upsert(target.pipeline, n, key, "x") for n, key in enumerate("cabd")))

    assert written() == ["a", "b", "c", "d"]


def test_rows_that_may_be_long_are_written_as_they_come(make_target):
    target = make_target(a_pipeline(a_column("id", "varchar(40)"), a_column("name", "json")))
    written = in_the_order_written(target)

    target.load(*(an_upsert(target.pipeline, n, key, "[1]") for n, key in enumerate("cabd")))

    assert written() == ["c", "a", "b", "d"]


def test_the_longest_rows_of_short_columns_can_be_sorted(make_target):
    longest = "varbinary(16000)"
    columns = [a_column(f"c{n}", longest) for n in range(4)]
    target = make_target(a_pipeline(a_column("id", "varchar(40)"), *columns))
    value = "ff" * 16000

    outcome = target.load(*(an_upsert(target.pipeline, n, f"k{n % 40}", *[value] * 4) for n in range(80)))

    assert (outcome.rows, outcome.applied) == (80, 80)
    assert target.query(f"SELECT COUNT(*), MIN(_version) FROM {target.name()}") == ((40, 40),)
