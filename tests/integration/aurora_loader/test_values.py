"""What the transformer writes is what a user selects, for every type and every awkward character."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from loader_fixtures import a_column, a_pipeline, an_upsert

from aurora_loader.load import Outcome

AWKWARD_TEXTS = [
    "a,b", 'a"b', "a\\b", "a\nb", "a\r\nb", "a\0b", "a\tb", "a\x1ab", "a\x08b", "\U0001f600", "a\u2028b", "\\N",
    "NULL", "\\", " a", "a ", "", '"', '""', ",", "'", "%s", "N", "\ufeffa", "é", "e\u0301", "123456789" * 4 + "12",
]  # fmt: skip


@pytest.fixture
def texts(make_target):
    return make_target(
        a_pipeline(a_column("id", "varchar(40)"), a_column("name", "varchar(40)"), a_column("note", "text"))
    )


def test_awkward_texts_arrive_exactly(texts):
    rows = [an_upsert(texts.pipeline, 1, f"{number:02}", text, text) for number, text in enumerate(AWKWARD_TEXTS)]

    outcome = texts.load(*rows)

    assert outcome == Outcome(rows=len(rows), applied=len(rows), newest_changed_at_ms=1000)
    assert texts.rows() == tuple((f"{number:02}", text, text) for number, text in enumerate(AWKWARD_TEXTS))


def test_awkward_texts_are_keys_of_their_own(texts):
    keys = sorted({*AWKWARD_TEXTS, "A,b", "a", "A", "á", "a\0", "ss", "ß", "'; DROP TABLE Things; --", "`"})

    outcome = texts.load(*(an_upsert(texts.pipeline, 1, key, key, None) for key in keys))

    assert outcome == Outcome(rows=len(keys), applied=len(keys), newest_changed_at_ms=1000)
    assert sorted(texts.rows("id, name")) == [(key, key) for key in keys]


def test_the_slow_path_stores_the_same_as_the_fast_one(texts):
    rows = [an_upsert(texts.pipeline, 1, f"{number:02}", text, text) for number, text in enumerate(AWKWARD_TEXTS)]

    outcome = texts.load(*rows, b"malformed\n")

    assert outcome == Outcome(rows=len(rows) + 1, applied=len(rows), rejected=1, newest_changed_at_ms=1000)
    assert texts.rows() == tuple((f"{number:02}", text, text) for number, text in enumerate(AWKWARD_TEXTS))


TYPES = [
    ("tinyint", "-128", -128),
    ("tinyint unsigned", "255", 255),
    ("smallint", "32767", 32767),
    ("mediumint", "-8388608", -8388608),
    ("int", "2147483647", 2147483647),
    ("bigint", "-9223372036854775808", -(2**63)),
    ("bigint unsigned", "18446744073709551615", 2**64 - 1),
    ("decimal(38,0)", "1" * 38, Decimal("1" * 38)),
    ("decimal(65,30)", f"-{'9' * 35}.{'1' * 30}", Decimal(f"-{'9' * 35}.{'1' * 30}")),
    ("double", "0.1", 0.1),
    ("double", "1e+300", 1e300),
    ("boolean", "1", 1),
    ("varchar(5)", "é\U0001f600 x ", "é\U0001f600 x "),
    ("text", "t", "t"),
    ("longtext", '{"a": 1}', '{"a": 1}'),
    ("varbinary(4)", "00ff5c22", b'\x00\xff\\"'),
    ("varbinary(4)", "", b""),
    ("blob", "0a2c", b"\n,"),
    ("json", '{"a":"\\\\ \\u0000 \\"q\\" é","n":[1,2.5,null]}', '{"a":"\\\\ \\u0000 \\"q\\" é","n":[1,2.5,null]}'),
    ("datetime", "2026-11-24 10:20:30", dt.datetime(2026, 11, 24, 10, 20, 30)),  # noqa: DTZ001 - MySQL's has none
    ("datetime(6)", "1000-01-01 00:00:00.123456", dt.datetime(1000, 1, 1, 0, 0, 0, 123456)),  # noqa: DTZ001
    ("date", "9999-12-31", dt.date(9999, 12, 31)),
]


JSON = [sql_type for sql_type, _, _ in TYPES].index("json")


def without_json(row):
    return row[: 1 + JSON] + row[2 + JSON :]


@pytest.mark.parametrize("slow", [False, True], ids=["fast path", "slow path"])
def test_every_type_stores_its_value_exactly_and_null_as_null(make_target, slow):
    columns = [a_column(f"c{number}", sql_type) for number, (sql_type, _, _) in enumerate(TYPES)]
    target = make_target(a_pipeline(a_column("id", "int"), *columns))
    rows = [
        an_upsert(target.pipeline, 1, "1", *(field for _, field, _ in TYPES)),
        an_upsert(target.pipeline, 1, "2", *(None for _ in TYPES)),
    ]

    outcome = target.load(*rows, *([b"malformed\n"] if slow else []))

    assert (outcome.applied, outcome.rejected) == (2, int(slow))
    full, empty = target.rows()
    # MySQL keeps the value of a JSON text, not the text.
    assert json.loads(full[1 + JSON]) == json.loads(TYPES[JSON][2])
    assert without_json(full) == (1, *(value for sql_type, _, value in TYPES if sql_type != "json"))
    assert empty == (2, *(None for _ in TYPES))


def test_a_select_of_everything_shows_what_the_user_declared_and_no_more(target):
    target.load(an_upsert(target.pipeline, 1, "a", "x"))

    shown = target.query(f"SHOW COLUMNS FROM {target.name()}")

    assert target.rows() == (("a", "x"),)
    assert [(name, extra) for name, *_, extra in shown] == [
        ("id", ""), ("name", ""), ("_version", "INVISIBLE"), ("_changed_at_ms", "INVISIBLE"),
    ]  # fmt: skip


def test_a_version_of_53_digits_is_kept_whole(target):
    version = 1_767_607_200_000 * 10**40 + 10**40 - 1

    target.load(an_upsert(target.pipeline, version, "a", "x"))

    assert target.rows("_version") == ((version,),)


@pytest.mark.parametrize("sql_type", ["varbinary(20)", "decimal(38,0)", "bigint"])
def test_keys_of_other_types_guard_as_text_does(make_target, sql_type):
    target = make_target(a_pipeline(a_column("id", sql_type), a_column("name", "varchar(40)")))

    target.load(an_upsert(target.pipeline, 2, "61", "new"), an_upsert(target.pipeline, 1, "61", "old"))

    assert target.rows("name") == (("new",),)


@pytest.mark.parametrize("mode", ["mirror", "soft_delete"])
def test_names_of_tables_and_columns_may_hold_what_statements_are_made_of(make_target, mode):
    columns = (a_column("100%", "varchar(40)", path=("id",)), a_column("sel`ect %s", "varbinary(9)"))
    target = make_target(a_pipeline(*columns, target_table="We`ird %s; '", mode=mode))

    outcome = target.load(an_upsert(target.pipeline, 1, "a", "00"), b"malformed\n")

    assert outcome == Outcome(rows=2, applied=1, rejected=1, newest_changed_at_ms=1000)
    assert target.rejects("line_number, target_table") == ((2, "We`ird %s; '"),)
    assert target.rows() == (("a", b"\0"),)
