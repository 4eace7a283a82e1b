"""What stands in the way of a load and passes: it is begun again, a bounded number of times, and loaded once."""
# ruff: noqa: S608 - tests name their own tables

import pymysql
import pytest
from loader_fixtures import FrozenTime, a_delete, an_upsert

from aurora_loader.load import LoadFailedError, Outcome
from aurora_loader.session import Session
from aurora_loader.sources import ObjectUnreadableError
from ddb2aurora.database.connect import connect
from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.errors import DatabaseHaltError
from ddb2aurora.database.migrate import NotMigratedError

LOADED = Outcome(rows=1, applied=1, newest_changed_at_ms=1000)


class FaultyConnection(DatabaseConnection):
    """A connection on which statements fail as they are told to, the real one behind it."""

    def run(self, statement, arguments=()):
        fault = next((found for found in self.faults if statement.startswith(found[0])), None)
        if fault is None:
            return super().run(statement, arguments)
        self.faults.remove(fault)
        _, number, happens = fault
        if happens == "after":
            super().run(statement, arguments)
        if number in (2006, 2013):
            self._force_close()
        raise pymysql.err.OperationalError(number, "The server is running with the --read-only option")


@pytest.fixture
def failing(target):
    """Make a loader whose statements fail: (start of the statement, error number, before or after its effect)."""

    def make(*faults):
        remaining = list(faults)

        def faulty(settings):
            connection, server = target.connect(settings)
            connection.__class__ = FaultyConnection
            connection.faults = remaining
            return connection, server

        return target.make_loader(connect=faulty)

    return make


@pytest.mark.parametrize("number", [1205, 1213, 1290, 1792, 1836, 1927, 2006, 2013])
@pytest.mark.parametrize("statement", ["START TRANSACTION", "INSERT INTO", "LOAD DATA", "DELETE t", "UPDATE"])
def test_what_passes_is_tried_again_and_loaded_once(target, failing, statement, number):
    loader = failing((statement, number, "before"))
    ref = target.put(an_upsert(target.pipeline, 1, "a", "x"), a_delete(target.pipeline, 1, "b"))

    outcome = loader.load(ref, time=target.time)

    assert outcome == Outcome(rows=2, applied=1, deleted=1, newest_changed_at_ms=1000)
    assert len(target.retries) == 1
    assert target.rows() == (("a", "x"),)
    assert target.ledger("applied") == ((1,),)


def test_a_lost_answer_to_a_commit_that_happened_is_found_in_the_ledger_and_still_told_of(target, failing):
    loader = failing(("COMMIT", 2013, "after"))

    outcome = loader.load(target.put(an_upsert(target.pipeline, 1, "a", "x")), time=target.time)

    assert outcome == LOADED
    assert target.rows() == (("a", "x"),)
    assert target.ledger("applied") == ((1,),)


def test_a_lost_answer_to_a_commit_that_did_not_happen_is_made_good(target, failing):
    loader = failing(("COMMIT", 2013, "before"))

    outcome = loader.load(target.put(an_upsert(target.pipeline, 1, "a", "x")), time=target.time)

    assert outcome == LOADED
    assert target.rows() == (("a", "x"),)


def test_a_connection_that_is_killed_in_the_middle_is_replaced(target):
    ref = target.put(an_upsert(target.pipeline, 1, "a", "x"))
    loader = target.make_loader()

    def kill_once():
        target.source.before = lambda: None
        (ours,) = (
            number
            for number, _, _, _, command, *_ in target.query("SHOW PROCESSLIST")
            if number != target.connection.thread_id() and command == "Sleep"
        )
        target.query(f"KILL {ours}")

    target.source.before = kill_once

    outcome = loader.load(ref, time=target.time)

    assert outcome == LOADED
    assert len(target.retries) == 1
    assert target.rows() == (("a", "x"),)


def test_a_connection_that_was_closed_between_invocations_is_replaced_without_a_retry(target):
    target.load(an_upsert(target.pipeline, 1, "a", "x"), key="1.csv")
    target._opened[-1]._force_close()

    outcome = target.load(an_upsert(target.pipeline, 2, "a", "y"), key="2.csv")

    assert outcome == LOADED
    assert target.retries == []
    assert target.rows() == (("a", "y"),)


def test_a_lock_that_is_not_released_fails_the_load_after_bounded_tries(target):
    ref = target.put(an_upsert(target.pipeline, 1, "a", "x"))
    holder, _ = target.connect()
    holder.run(f"INSERT INTO {target.name()} VALUES ('a', 'held')")
    holder.run("START TRANSACTION")
    holder.run(f"UPDATE {target.name()} SET name = 'still held'")

    def impatient(settings):
        connection, server = connect(settings)
        connection.run("SET SESSION innodb_lock_wait_timeout = 0")
        target._opened.append(connection)
        return connection, server

    with pytest.raises(LoadFailedError) as failure:
        target.make_loader(connect=impatient).load(ref, time=target.time)

    assert str(failure.value) == (
        "s3://bucket/processed/things/a.csv is not loaded after 8 tries (loading failed on "
        "s3://bucket/processed/things/a.csv: error 1205 of the database; it may pass); "
        "it is tried again when the event is delivered again"
    )
    assert target.time.pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert target.ledger() == ()


def test_an_entry_of_another_loader_is_not_taken_for_ones_own_after_a_lost_answer(target, failing):
    ref = target.put(an_upsert(target.pipeline, 1, "a", "x"))
    loader = failing(("COMMIT", 2013, "before"))
    target.time.sleep = lambda _: target.make_loader().load(ref, time=FrozenTime())

    outcome = loader.load(ref, time=target.time)

    assert outcome == Outcome(repeated=True)
    assert target.rows() == (("a", "x"),)


def test_an_object_that_is_not_there_is_looked_for_twice_and_no_more(target, failing):
    loader = failing(*[("LOAD DATA", 1815, "before")] * 20)

    with pytest.raises(LoadFailedError) as failure:
        loader.load(target.put(an_upsert(target.pipeline, 1, "a", "x")), time=target.time)

    assert str(failure.value) == (
        "s3://bucket/processed/things/a.csv is not loaded after 2 tries (loading failed on "
        "s3://bucket/processed/things/a.csv: error 1815 of the database; the object is gone, lies in another region, "
        "or the cluster's role may not read it); it is tried again when the event is delivered again"
    )
    assert target.time.pauses == [0.2]
    assert target.ledger() == ()


def test_no_try_is_begun_when_time_runs_short(target, failing):
    loader = failing(*[("LOAD DATA", 1213, "before")] * 20)
    time = FrozenTime(seconds_left=5.5)

    with pytest.raises(LoadFailedError):
        loader.load(target.put(an_upsert(target.pipeline, 1, "a", "x")), time=time)

    assert time.pauses == [0.2, 0.4]


def test_an_error_that_does_not_pass_is_not_tried_again(target, failing):
    loader = failing(("LOAD DATA", 1142, "before"))

    with pytest.raises(DatabaseHaltError) as failure:
        loader.load(target.put(an_upsert(target.pipeline, 1, "a", "x")), time=target.time)

    assert str(failure.value) == (
        "loading failed on s3://bucket/processed/things/a.csv: error 1142 of the database; "
        "grant the user SELECT, INSERT, UPDATE and DELETE on the tables"
    )
    assert target.retries == []
    assert target.ledger() == ()


def test_an_object_that_breaks_off_leaves_nothing_behind(target):
    ref = target.put(an_upsert(target.pipeline, 1, "a", "x"))

    class Breaking:
        set_up = ()

        def load(self, connection, ref, *, into):
            def chunks():
                yield target.source.objects[ref.key]
                raise ObjectUnreadableError("broken off")

            return connection.run_local(f"LOAD DATA LOCAL INFILE {{file}} {into}", chunks())

    with pytest.raises(ObjectUnreadableError):
        target.make_loader(source=Breaking()).load(ref, time=target.time)

    assert target.rows() == ()
    assert target.ledger() == ()


def test_a_target_without_tables_halts_and_names_the_mend(target):
    target.query(f"DROP TABLE {target.name('__tombstones')}")
    session = Session(target.settings, pipeline=target.pipeline, source=target.source, connect=target.connect)

    with pytest.raises(NotMigratedError) as failure:
        session.get()

    assert str(failure.value) == (
        f"{target.database.name} is not ready for pipeline things; run ddb2aurora migrate:\n"
        "  Things__tombstones: is missing"
    )


def test_rows_that_a_load_left_staged_are_not_taken_for_those_of_the_next(target, failing):
    loader = failing((f"DROP TEMPORARY TABLE IF EXISTS {target.tables.staging.quoted}", 1205, "before"))
    loader.load(target.put(an_upsert(target.pipeline, 1, "a", "x"), key="1.csv"), time=target.time)
    target.query(f"DELETE FROM {target.name()}")

    outcome = loader.load(target.put(an_upsert(target.pipeline, 1, "b", "y"), key="2.csv"), time=target.time)

    assert outcome == LOADED
    assert target.rows() == (("b", "y"),)
