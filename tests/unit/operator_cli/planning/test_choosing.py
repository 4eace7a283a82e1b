"""The type for a column takes what was seen exactly, with room for more, and says why."""

from decimal import Decimal

import pytest

from ddb2aurora.fields import encoder_for
from operator_cli.planning.choosing import choose, choose_item, choose_key, choose_number
from operator_cli.planning.places import Place, Room

LONG = Decimal(12345678901234567890123456789012345678)


def a_place(*values):
    place = Place()
    for value in values:
        place.add(value, room=Room())
    return place


def nested(levels):
    value = None
    for _ in range(levels):
        value = [value]
    return value


def type_for(*values):
    choice = choose(a_place(*values))
    return choice.type and choice.type.sql


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, False], "boolean"),
        ([Decimal(1), Decimal(-5)], "bigint"),
        ([Decimal(2**63 - 1)], "bigint"),
        ([Decimal(2**63)], "bigint unsigned"),
        ([Decimal(2**63), Decimal(-1)], "decimal(21,0)"),
        ([Decimal(2**64)], "decimal(22,0)"),
        ([Decimal("12.50")], "decimal(15,3)"),
        ([Decimal("0.00001"), Decimal(123456789012)], "decimal(21,7)"),
        ([LONG], "decimal(40,0)"),
        ([Decimal("1E-30")], "decimal(42,30)"),
        ([Decimal("1E+64")], "decimal(65,0)"),
        ([Decimal("1E+59"), Decimal("1E-5")], "decimal(65,5)"),
        ([Decimal("1E-31")], "double"),
        ([Decimal("1E+65")], "double"),
        ([Decimal("1E-31"), LONG], "varchar(128)"),
        ([Decimal("1E-130"), LONG * Decimal("1E-130")], "varchar(500)"),
        (["a" * 32], "varchar(64)"),
        (["a" * 33], "varchar(128)"),
        (["a" * 1000], "varchar(2000)"),
        (["a" * 1001], "text"),
        (["é" * 20_000], "mediumtext"),
        ([""], "varchar(64)"),
        (["2026-01-05", "1999-12-31"], "date"),
        (["2026-01-05", "2026-02-30"], "varchar(64)"),
        (["2026-01-05T10:00:00Z", "2026-01-05T10:00:00.5+02:00"], "datetime(3)"),
        (["2026-01-05T10:00:00.1234Z"], "datetime(6)"),
        (["2026-01-05 10:00:00"], "datetime(3)"),
        (["2026-01-05T10:00:00Z", "2026-01-05T10:00:00"], "varchar(64)"),
        (["2026-01-05T10:00:00Z", "2026-01-05"], "varchar(64)"),
        (["0999-01-05T10:00:00Z"], "varchar(64)"),
        ([b"ab"], "varbinary(256)"),
        ([b"a" * 3000], "blob"),
        ([b"a", "b" * 200], "varbinary(512)"),
        (["a", Decimal(1), True], "varchar(64)"),
        (["a", Decimal("1E+120")], "varchar(255)"),
        (["😀" * 20_000, Decimal(1)], "mediumtext"),
        ([[Decimal(1)], {"a": None}], "json"),
        ([["a"], "a"], "json"),
        ([[LONG]], "text"),
        ([["a"], LONG], "text"),
        ([["a"], b"a"], "json"),
        ([[LONG], b"a"], None),
        ([b"a", LONG], None),
        ([frozenset({"a"})], "json"),
        ([{}], "json"),
        ([nested(99)], "json"),
        ([nested(100)], None),
        ([nested(100), "a"], None),
        ([None, True], "boolean"),
        ([None], None),
        ([], None),
    ],
)
def test_what_was_seen_decides_the_type(values, expected):
    assert type_for(*values) == expected


def test_the_type_of_a_key_leaves_room_in_an_index():
    types = [choose_key(a_place("k" * length), "S", position=0).type.sql for length in (10, 100, 200, 256, 257, 2000)]

    assert types == [
        "varchar(64)",
        "varchar(255)",
        "varchar(512)",
        "varchar(512)",
        "varbinary(2048)",
        "varbinary(2048)",
    ]


@pytest.mark.parametrize("hash_length", [1, 255, 2048])
@pytest.mark.parametrize("range_length", [1, 100, 1024])
@pytest.mark.parametrize("kinds", ["SS", "SN", "NS", "BB", "NN"])
def test_both_columns_of_a_key_fit_an_index_together(hash_length, range_length, kinds):
    values = {"S": "k", "B": b"k", "N": None}
    columns = [
        choose_key(a_place(LONG * Decimal("1E-130") if kind == "N" else values[kind] * length), kind, position=position)
        for position, (kind, length) in enumerate(zip(kinds, (hash_length, range_length), strict=True))
    ]

    assert sum(column.type.key_bytes for column in columns) <= 3072
    assert all(column.type.may_be_key for column in columns)


def test_a_number_that_no_numeric_key_keeps_is_a_key_as_text():
    assert choose_key(a_place(Decimal("1E-130")), "N", position=0).type.sql == "varchar(170)"


def test_the_longest_number_of_all_fits_a_key():
    longest = Decimal(f"-{LONG}E-167")

    encode = encoder_for(choose_key(a_place(longest), "N", position=0).type)

    assert len(encode(longest)) == 170


def test_numbers_among_other_values_have_a_type_of_their_own():
    assert choose_number(a_place("a", Decimal(1))).type.sql == "bigint"


@pytest.mark.parametrize(
    ("fits_json", "fits_text", "expected"), [(True, True, "json"), (False, True, "text"), (False, False, None)]
)
def test_the_whole_item_is_json_where_mysql_keeps_its_numbers(fits_json, fits_text, expected):
    choice = choose_item(fits_json=fits_json, fits_text=fits_text, longest_bytes=100)

    assert (choice.type and choice.type.sql) == expected
