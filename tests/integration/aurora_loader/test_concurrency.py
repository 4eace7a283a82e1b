"""
Two loaders at the same keys, stepped by hand through both orders of an older upsert and a newer delete.

Loader A holds the upsert, loader B the delete. Whatever the order, no dead row may be left, and none without its stamp
when the delete is a soft one.
"""

import threading

import pytest
from loader_fixtures import a_delete, a_pipeline, a_soft_delete, an_object, an_upsert

from aurora_loader.outcome import Outcome
from aurora_loader.staging import Staging
from ddb2aurora.database.applying.guarded import GuardedStatements
from ddb2aurora.database.schema import tables_of


class Stepped:
    """A load whose statements the test runs one by one."""

    def __init__(self, target, *rows, key):
        self.connection, server = target.connect()
        tables = tables_of(target.pipeline, database=target.database.name, key_collation=server.key_collation)
        self.statements = GuardedStatements.of(tables, target.pipeline)
        self._staging = Staging(target.pipeline, tables)
        self._ref = target.put(*rows, key=key)
        self._source = target.source
        self.connection.run(f"USE {target.database.name}")
        self._staging.create(self.connection)
        self.begin()

    def begin(self):
        self.connection.run("START TRANSACTION")
        self.staged = self._staging.load(self.connection, self._ref, self._source)

    def run(self, *steps):
        for step in steps:
            self.connection.run(getattr(self.statements, step))

    def run_all(self):
        self.statements.apply(self.connection, staged=self.staged)

    def commit(self):
        self.connection.run("COMMIT")


def in_background(*calls):
    """Run *calls* in a thread and return it; what one raises is kept in its `errors`."""
    errors = []

    def run():
        try:
            for call in calls:
                call()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.errors = errors
    thread.start()
    return thread


def wait_until_blocked(target, count=1):
    """Return when *count* transactions wait for a lock."""
    pause = threading.Event()
    for _ in range(50):
        pause.wait(0.15)  # InnoDB shows what it found last to whoever asks again within 0.1 s
        ((waiting,),) = target.query("SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'")
        if waiting == count:
            return
    pytest.fail("no transaction waits for a lock")


@pytest.fixture
def loaders(target):
    upsert = Stepped(target, an_upsert(target.pipeline, 10, "k", "dead"), key="upsert.csv")
    delete = Stepped(target, a_delete(target.pipeline, 20, "k"), key="delete.csv")
    return upsert, delete


def test_a_tombstone_written_between_the_upsert_and_its_look_ends_in_a_deadlock_and_no_dead_row(target, loaders):
    upsert, delete = loaders

    # The filter of the upsert runs before there is a tombstone to see.
    upsert.run("upsert")
    delete.run("remember")
    ends = [
        in_background(lambda: upsert.run("look", "bury"), upsert.commit),
        in_background(lambda: delete.run("look", "bury"), delete.commit),
    ]
    for end in ends:
        end.join(timeout=10)
    losers = [loader for loader, end in zip(loaders, ends, strict=True) if end.errors]
    for loser in losers:
        loser.begin()
        loser.run("remember", "upsert", "look", "bury")
        loser.commit()

    assert [error.args[0] for end in ends for error in end.errors] == [1213]
    assert target.rows() == ()


def test_a_delete_that_comes_after_the_upsert_has_looked_waits_and_deletes_the_row(target, loaders):
    upsert, delete = loaders

    upsert.run("upsert", "look", "bury")
    delete.run("remember", "look")
    waiting = in_background(lambda: delete.run("bury"), delete.commit)
    wait_until_blocked(target)
    upsert.commit()
    waiting.join(timeout=10)

    assert waiting.errors == []
    assert target.rows() == ()


def test_a_delete_that_ran_whole_before_the_upsert_committed_its_look_is_seen(target, loaders):
    upsert, delete = loaders

    delete.run("remember", "look", "bury")
    waiting = in_background(lambda: upsert.run("upsert", "look", "bury"), upsert.commit)
    wait_until_blocked(target)
    delete.commit()
    waiting.join(timeout=10)

    assert waiting.errors == []
    assert target.rows() == ()


def test_the_look_alone_waits_for_a_tombstone_that_is_not_committed(target, loaders):
    upsert, delete = loaders

    delete.run("remember")
    waiting = in_background(lambda: upsert.run("look"))
    wait_until_blocked(target)
    delete.commit()
    waiting.join(timeout=10)

    assert waiting.errors == []


def test_without_the_locking_look_the_dead_row_would_stand(target, loaders):
    """Show that the interleaving is real: the filter alone, as a naive apply would have it, leaves the dead row."""
    upsert, delete = loaders

    delete.run("remember", "look", "bury")
    upsert.run("upsert")
    delete.commit()
    upsert.commit()

    assert target.rows() == (("k", "dead"),)


def test_a_delete_that_ran_whole_before_a_file_was_spared_is_waited_for_and_seen(target, loaders):
    upsert, delete = loaders

    delete.run_all()
    waiting = in_background(upsert.run_all, upsert.commit)
    wait_until_blocked(target)
    delete.commit()
    waiting.join(timeout=10)

    assert waiting.errors == []
    assert target.rows() == ()


def test_a_delete_that_comes_after_a_file_was_spared_waits_and_deletes_the_row(target, loaders):
    upsert, delete = loaders

    upsert.run_all()
    delete.run("remember", "look")
    waiting = in_background(lambda: delete.run("bury"), delete.commit)
    wait_until_blocked(target)
    upsert.commit()
    waiting.join(timeout=10)

    assert waiting.errors == []
    assert target.rows() == ()


def test_a_tombstone_written_between_the_probe_and_the_upsert_is_seen_by_the_second_probe(loaders):
    upsert, delete = loaders
    version = (upsert.staged.lowest_version,)

    before = upsert.connection.rows(upsert.statements.probe, version)
    delete.run_all()
    delete.commit()
    upsert.run("upsert_all")
    after = upsert.connection.rows(upsert.statements.probe_now, version)

    assert (before, after) == ((), ((1,),))


def test_without_the_locking_probe_the_dead_row_would_stand(target, loaders):
    """Show that the interleaving is real: to a plain probe a tombstone that is not committed is none."""
    upsert, delete = loaders

    delete.run_all()
    upsert.run("upsert_all")
    seen = upsert.connection.rows(upsert.statements.probe, (upsert.staged.lowest_version,))
    delete.commit()
    upsert.commit()

    assert seen == ()
    assert target.rows() == (("k", "dead"),)


def test_a_loader_of_the_same_object_waits_and_then_finds_it_loaded(target):
    ref = target.put(an_upsert(target.pipeline, 1, "a", "x"))
    first = target.make_loader()
    second = target.make_loader()
    outcomes = {}
    met = threading.Barrier(2)
    target.source.before = lambda: (met.wait(timeout=10), wait_until_blocked(target))
    other = in_background(lambda: outcomes.update(first=first.load(ref, time=target.time)))
    met.wait(timeout=10)

    outcomes["second"] = second.load(ref, time=target.time)
    other.join(timeout=10)

    assert other.errors == []
    assert outcomes == {
        "first": Outcome(rows=1, applied=1, newest_changed_at_ms=1000),
        "second": Outcome(repeated=True),
    }
    assert target.ledger() == (("processed/things/a.csv", 1, 1, 0, 0, 0),)


def test_loads_of_the_same_keys_in_opposite_order_converge(target):
    """Deadlocks are the price of no gap locks; each is tried again and the newest version wins."""
    pipeline = target.pipeline
    keys = [f"k{number:03}" for number in range(200)]
    target.put(*(an_upsert(pipeline, 1, key, "old") for key in keys), key="old.csv")
    target.put(*(an_upsert(pipeline, 2, key, "new") for key in reversed(keys)), key="new.csv")
    target.put(*(a_delete(pipeline, 3, key) for key in keys[::-2]), key="deletes.csv")

    loads = [
        in_background(lambda key=key: target.make_loader().load(an_object(key), time=target.time))
        for key in ("old.csv", "new.csv", "deletes.csv")
    ]
    for load in loads:
        load.join(timeout=60)

    assert [load.errors for load in loads] == [[], [], []]
    assert target.rows() == tuple((key, "new") for key in keys[::2])


def test_statements_apply_as_one_in_their_order(target, loaders):
    upsert, delete = loaders

    applied = upsert.statements.apply(upsert.connection, staged=upsert.staged)
    upsert.commit()
    deleted = delete.statements.apply(delete.connection, staged=delete.staged)
    delete.commit()

    assert (applied.applied, deleted.deleted) == (1, 1)
    assert target.rows() == ()


@pytest.fixture
def soft(make_target):
    return make_target(a_pipeline(mode="soft_delete"))


@pytest.fixture
def soft_loaders(soft):
    upsert = Stepped(soft, an_upsert(soft.pipeline, 10, "k", "dead"), key="upsert.csv")
    delete = Stepped(soft, a_soft_delete(soft.pipeline, 20, "k", changed_at_ms=2000), key="delete.csv")
    return upsert, delete


STAMPED = (("k", "dead", "1970-01-01 00:00:02.000"),)
SEEN = "id, name, CAST(_deleted_at AS CHAR)"


def test_a_soft_delete_between_the_upsert_and_its_look_ends_in_a_deadlock_and_a_stamped_row(soft, soft_loaders):
    upsert, delete = soft_loaders

    upsert.run("upsert")
    delete.run("remember_soft")
    ends = [
        in_background(lambda: upsert.run("look", "bury", "stamp"), upsert.commit),
        in_background(lambda: delete.run("look", "bury", "stamp"), delete.commit),
    ]
    for end in ends:
        end.join(timeout=10)
    losers = [loader for loader, end in zip(soft_loaders, ends, strict=True) if end.errors]
    for loser in losers:
        loser.begin()
        loser.run_all()
        loser.commit()

    assert [error.args[0] for end in ends for error in end.errors] == [1213]
    assert soft.rows(SEEN) == STAMPED


def test_a_soft_delete_that_comes_after_the_upsert_has_looked_waits_and_stamps_the_row(soft, soft_loaders):
    upsert, delete = soft_loaders

    upsert.run_all()
    delete.run("remember_soft", "look")
    waiting = in_background(lambda: delete.run("stamp"), delete.commit)
    wait_until_blocked(soft)
    upsert.commit()
    waiting.join(timeout=10)

    assert waiting.errors == []
    assert soft.rows(SEEN) == STAMPED


def test_a_soft_delete_that_ran_whole_before_the_upsert_committed_its_look_is_seen(soft, soft_loaders):
    upsert, delete = soft_loaders

    delete.run_all()
    waiting = in_background(upsert.run_all, upsert.commit)
    wait_until_blocked(soft)
    delete.commit()
    waiting.join(timeout=10)

    assert waiting.errors == []
    assert soft.rows(SEEN) == STAMPED


def test_without_the_stamp_of_the_upserts_own_the_row_would_look_alive(soft, soft_loaders):
    """Show that the interleaving is real: the soft delete alone finds no row to stamp."""
    upsert, delete = soft_loaders

    delete.run_all()
    upsert.run("upsert")
    delete.commit()
    upsert.commit()

    assert soft.rows(SEEN) == (("k", "dead", None),)


def test_a_soft_delete_before_a_file_was_spared_is_waited_for_and_stamps(soft, soft_loaders):
    upsert, delete = soft_loaders

    delete.run("remember_soft")
    waiting = in_background(upsert.run_all, upsert.commit)
    wait_until_blocked(soft)
    delete.commit()
    waiting.join(timeout=10)

    assert waiting.errors == []
    assert soft.rows(SEEN) == STAMPED


def test_a_recreation_that_is_not_committed_yet_is_waited_for_and_not_stamped(soft):
    soft.load(an_upsert(soft.pipeline, 10, "k", "old"), key="old.csv")
    newer = Stepped(soft, an_upsert(soft.pipeline, 30, "k", "new"), key="newer.csv")
    delete = Stepped(soft, a_soft_delete(soft.pipeline, 20, "k"), key="delete.csv")

    newer.run_all()
    delete.run("remember_soft", "look")
    waiting = in_background(lambda: delete.run("bury", "stamp"), delete.commit)
    wait_until_blocked(soft)
    newer.commit()
    waiting.join(timeout=10)

    assert waiting.errors == []
    assert soft.rows(SEEN) == (("k", "new", None),)


def test_of_two_soft_deletes_at_once_the_newer_gives_the_time(soft):
    soft.load(an_upsert(soft.pipeline, 10, "k", "dead"), key="old.csv")
    older = Stepped(soft, a_soft_delete(soft.pipeline, 15, "k", changed_at_ms=1500), key="older.csv")
    newer = Stepped(soft, a_soft_delete(soft.pipeline, 20, "k", changed_at_ms=2000), key="newer.csv")

    newer.run_all()
    waiting = in_background(older.run_all, older.commit)
    wait_until_blocked(soft)
    newer.commit()
    waiting.join(timeout=10)

    assert waiting.errors == []
    assert soft.rows(SEEN) == STAMPED
