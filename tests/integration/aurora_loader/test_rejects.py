"""Rows that the database refuses cost their neighbours nothing, until there are too many of them."""
# ruff: noqa: S608 - tests name their own tables

import pytest
from loader_fixtures import FrozenTime, a_column, a_delete, a_pipeline, an_upsert

from aurora_loader.load import Outcome
from aurora_loader.rejects import TooManyRejectsError
from ddb2aurora.dialect import encode_row

COLUMNS = (
    a_column("id", "varchar(8)"),
    a_column("n", "int"),
    a_column("price", "decimal(6,2)"),
    a_column("doc", "json"),
    a_column("must", "varchar(3)", nullable=False),
)


@pytest.fixture
def typed(make_target):
    return make_target(a_pipeline(*COLUMNS))


@pytest.mark.parametrize(
    ("bad", "code", "reason"),
    [
        (("bad", "x", None, None, "m"), 1366, "bad_value in column n"),
        (("bad", "3000000000", None, None, "m"), 1264, "out_of_range in column n"),
        (("bad", "1", "1.239", None, "m"), 1265, "inexact_value in column price"),
        (("much too long", "1", None, None, "m"), 1406, "too_long in column id"),
        (("bad", "1", None, None, None), 1048, "null_not_allowed in column must"),
        ((None, "1", None, None, "m"), 1048, "null_not_allowed in column id"),
    ],
)
def test_a_refused_row_is_kept_with_its_reason_and_the_rest_loads(typed, bad, code, reason):
    pipeline = typed.pipeline
    refused = an_upsert(pipeline, 2, *bad)

    outcome = typed.load(
        an_upsert(pipeline, 1, "a", "1", "1.5", "{}", "m"),
        refused,
        an_upsert(pipeline, 3, "c", "3", None, None, "m", changed_at_ms=7000),
        a_delete(pipeline, 4, "a"),
    )

    assert outcome == Outcome(rows=4, applied=2, deleted=1, rejected=1, newest_changed_at_ms=7000)
    assert typed.rows("id, n") == (("c", 3),)
    assert typed.rejects() == ((2, code, reason, encode_row(refused).removesuffix(b"\n")),)
    assert typed.ledger() == (("processed/things/a.csv", 4, 2, 0, 1, 1),)


def test_a_text_that_is_not_json_is_kept_with_the_reason_that_the_server_knows(typed):
    refused = an_upsert(typed.pipeline, 1, "bad", "1", None, "{not json", "m")

    outcome = typed.load(refused, an_upsert(typed.pipeline, 1, "good", "1", None, "{}", "m"))

    reasons = {"mysql": (3140, "not_json in column doc"), "mariadb": (4025, "check_constraint")}
    assert outcome == Outcome(rows=2, applied=1, rejected=1, newest_changed_at_ms=1000)
    assert typed.rejects("error_code, reason") == (reasons[typed.server.flavor],)


def test_a_malformed_line_is_kept_byte_for_byte(target):
    pipeline = target.pipeline
    line = b'\x00\xff\t"unfinished, \\'

    outcome = target.load(
        an_upsert(pipeline, 1, "a", "x"),
        line + b"\n",
        b"\n",
        an_upsert(pipeline, 3, "c", "z"),
        an_upsert(pipeline, 4, "d", "z"),
    )

    assert outcome == Outcome(rows=5, applied=3, rejected=2, newest_changed_at_ms=1000)
    assert target.rows() == (("a", "x"), ("c", "z"), ("d", "z"))
    assert target.rejects() == ((2, 0, "malformed_line", line), (3, 0, "malformed_line", b""))


def test_too_few_and_too_many_fields_are_malformed_lines(target):
    pipeline = target.pipeline

    outcome = target.load(
        *(an_upsert(pipeline, number, f"k{number}", "x") for number in (1, 2)),
        encode_row(an_upsert(pipeline, 3, "short")),
        encode_row(an_upsert(pipeline, 4, "long", "x", "y")),
    )

    assert outcome == Outcome(rows=4, applied=2, rejected=2, newest_changed_at_ms=1000)
    assert target.rejects("line_number, reason") == ((3, "malformed_line"), (4, "malformed_line"))


def test_more_rejects_than_the_share_stop_the_object_and_nothing_of_it_loads(make_target):
    target = make_target(a_pipeline(*COLUMNS, max_reject_share=0.25))
    pipeline = target.pipeline
    good = [an_upsert(pipeline, number, f"k{number}", "1", None, None, "m") for number in range(3)]
    bad = [an_upsert(pipeline, number, f"b{number}", "x", None, None, "m") for number in range(2)]

    with pytest.raises(TooManyRejectsError) as failure:
        target.load(*good, *bad)

    assert str(failure.value) == (
        "s3://bucket/processed/things/a.csv: more than 25.0% of its 5 rows are refused (the last one, line 5: "
        "bad_value in column n); nothing of it was loaded. Mend the table or the pipeline file and redrive, or raise "
        "max_reject_share"
    )
    assert (target.rows(), target.rejects(), target.ledger()) == ((), (), ())


def test_rejects_up_to_the_share_are_let_through(make_target):
    target = make_target(a_pipeline(*COLUMNS, max_reject_share=0.25))
    pipeline = target.pipeline
    rows = [an_upsert(pipeline, number, f"k{number}", text, None, None, "m") for number, text in enumerate("12x4")]

    outcome = target.load(*rows)

    assert outcome == Outcome(rows=4, applied=3, rejected=1, newest_changed_at_ms=1000)


def test_rejects_are_found_in_every_chunk_and_the_sums_hold(make_target):
    target = make_target(a_pipeline(*COLUMNS))
    pipeline = target.pipeline
    bad = {0, 499, 500, 777, 1200}
    rows = [
        an_upsert(pipeline, number, f"k{number}", "x" if number in bad else "1", None, None, "m")
        for number in range(1201)
    ]

    outcome = target.load(*rows)

    assert outcome == Outcome(rows=1201, applied=1196, rejected=5, newest_changed_at_ms=1000)
    assert target.rejects("line_number") == tuple((number + 1,) for number in sorted(bad))
    assert target.query(f"SELECT COUNT(*) FROM {target.name()}") == ((1196,),)


def test_no_value_stands_in_the_reason(typed):
    pipeline = typed.pipeline

    typed.load(
        an_upsert(pipeline, 1, "secret`name'", "secret", None, None, "m"),
        an_upsert(pipeline, 2, "b", "1", None, None, "m"),
    )

    ((reason,),) = typed.rejects("reason")
    assert reason == "too_long in column id"


def test_lines_of_many_bytes_are_handled_in_chunks_that_fit_a_packet(make_target):
    target = make_target(a_pipeline(a_column("id", "varchar(40)"), a_column("note", "longtext")))
    rows = [an_upsert(target.pipeline, number, f"k{number}", "'" * 1_500_000) for number in range(4)]

    outcome = target.load(*rows, b"malformed\n")

    assert outcome == Outcome(rows=5, applied=4, rejected=1, newest_changed_at_ms=1000)


def test_a_deadlock_among_the_chunks_begins_the_whole_object_again(target):
    pipeline = target.pipeline
    holder, _ = target.connect()
    holder.run(f"INSERT INTO {target.name()} (id, name) VALUES ('a', 'held')")
    holder.run("START TRANSACTION")
    holder.run(f"SELECT * FROM {target.name()} FOR UPDATE")

    class Releasing(FrozenTime):
        def sleep(self, seconds):
            super().sleep(seconds)
            holder.run("ROLLBACK")

    def impatient(settings):
        connection, server = target.connect(settings)
        connection.run("SET SESSION innodb_lock_wait_timeout = 0")
        return connection, server

    outcome = target.make_loader(connect=impatient).load(
        target.put(an_upsert(pipeline, 1, "a", "x"), b"malformed\n"), time=Releasing()
    )

    assert outcome == Outcome(rows=2, applied=1, rejected=1, newest_changed_at_ms=1000)
    assert len(target.retries) == 1
    assert target.rows() == (("a", "x"),)
