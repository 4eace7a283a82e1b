"""A verification against a real target, with a source that fails at any point: it goes on, and finds the same."""
# ruff: noqa: S608 - tests name their own tables

import contextlib
from collections import Counter

import pytest
from fake_dynamodb import FakeDynamoDb
from loader_fixtures import a_column, a_pipeline, an_upsert

from operator_cli.verifying.notebook import Notebook
from operator_cli.verifying.notebook import Run as KeptRun
from operator_cli.verifying.plan import plan_of
from operator_cli.verifying.seen import hash_of
from operator_cli.verifying.sides import Comparison
from operator_cli.verifying.source import ReadBudget, Source
from operator_cli.verifying.target import Target
from operator_cli.verifying.verification import Verification

_ITEMS = [{"id": f"hash {number % 3}", "no": number, "name": f"name {number}"} for number in range(20)]


class PowerCutError(BaseException):
    """The end of everything, at the worst of moments."""


class Quiet:
    def compared(self, items):
        pass

    def read(self, rows):
        pass

    def settling(self, pending):
        pass


@pytest.fixture
def world(make_target):
    columns = (a_column("id", "varchar(40)"), a_column("no", "bigint"), a_column("name", "varchar(40)"))
    target = make_target(a_pipeline(*columns, key=("id", "no")))
    table = FakeDynamoDb(*_ITEMS, key={"id": "S", "no": "N"})
    rows = [an_upsert(target.pipeline, 7, item["id"], str(item["no"]), item["name"]) for item in _ITEMS]
    target.load(*rows)
    target.query(f"DELETE FROM {target.name()} WHERE no IN (3, 11)")
    target.query(f"UPDATE {target.name()} SET name = 'x' WHERE no = 5")
    target.query(f"INSERT INTO {target.name()} (id, no, name) VALUES ('nobody', 1, 'x'), ('hash 0', -1, NULL)")
    return target, table


def verify(target, table, *, resume, threads=2):
    clock = iter(range(0, 10**9, 1000))
    source = Source(table, target.pipeline, budget=ReadBudget(None))
    connection, _ = target.connect()

    @contextlib.contextmanager
    def open_target():
        own, _ = target.connect()
        try:
            yield Target(own, target.pipeline, target.tables)
        finally:
            own.close()

    notebook = Notebook(connection, database=target.database.name, pipeline="things", target_table="Things")
    if resume:
        run = notebook.newest_unfinished()
    else:
        run = KeptRun("run", plan_of(segments=threads, settle_ms=500).as_json())
        notebook.begin(run)
    Verification(
        run,
        source=source,
        comparison=Comparison(target.pipeline),
        open_target=open_target,
        notebook=notebook,
        watcher=Quiet(),
        now_ms=lambda: next(clock),
        threads=threads,
    ).run()
    return run, notebook


def found(notebook):
    return {
        (finding.kind, finding.state, finding.row_key)
        for finding in notebook.findings("run", states=("pending", "confirmed", "gone", "moving"))
    }


_EXPECTED = {
    ("missing", "confirmed", ("hash 0", "3")),
    ("missing", "confirmed", ("hash 2", "11")),
    ("different", "confirmed", ("hash 2", "5")),
    ("extra", "confirmed", ("nobody", "1")),
    ("extra", "confirmed", ("hash 0", "-1")),
}


def test_a_run_finds_what_differs(world):
    run, notebook = verify(*world, resume=False)

    assert found(notebook) == _EXPECTED
    assert (run.counts["equal"], run.counts["missing"], run.counts["different"]) == (17, 2, 1)


def test_only_rows_that_may_have_no_item_are_asked_for(world):
    target, table = world

    verify(target, table, resume=False)

    asked = [len(call["RequestItems"]["things"]["Keys"]) for name, call in table.calls if name == "batch_get_item"]
    # Two rows too many, then the five findings, twice: not the twenty rows.
    assert asked == [2, 5, 5]


def test_a_run_that_ends_at_any_call_is_resumed_and_finds_the_same(world):
    target, table = world
    total = None
    for point in range(1, 100):
        calls = Counter()

        def fail(name, calls=calls, point=point):
            calls["all"] += name != "describe_table"
            if calls["all"] == point:
                raise PowerCutError

        target.query(f"DROP TABLE IF EXISTS `{target.database.name}`._ddb2aurora_verify_runs")
        target.query(f"DROP TABLE IF EXISTS `{target.database.name}`._ddb2aurora_verify")
        table.fails = fail
        try:
            run, notebook = verify(target, table, resume=False)
        except PowerCutError:
            table.fails = lambda _: None
            run, notebook = verify(target, table, resume=True)
        else:
            total = point - 1
            break
        finally:
            table.fails = lambda _: None
        assert found(notebook) == _EXPECTED, point
        assert (run.counts["equal"], run.counts["missing"], run.counts["different"]) == (17, 2, 1), point
    assert total is not None
    assert total > 10


def test_the_keys_of_the_target_come_in_order_in_pages_over_shared_hash_keys(world):
    target, _ = world
    seen = Target(target.connection, target.pipeline, target.tables, keys_a_page=3)

    pages = list(seen.living_keys())

    keys = [(key, int(number)) for page in pages for key, number in page]
    assert keys == [
        (key, number) for key, number in target.query(f"SELECT id, no FROM {target.name()} ORDER BY id, no")
    ]
    assert max(map(len, pages)) == 3
    assert [key for page in seen.living_keys(after=pages[1][-1]) for key in page] == [
        key for page in pages[2:] for key in page
    ]


def test_rows_are_found_by_their_keys_whatever_the_number(world):
    target, _ = world
    seen = Target(target.connection, target.pipeline, target.tables)
    keys = [(f"hash {number % 3}", str(number)) for number in range(1500)]

    assert sorted(int(key[1]) for key in seen.rows(keys)) == [number for number in range(20) if number not in (3, 11)]
    assert len({hash_of(key) for key in keys}) == 1500
