"""What a driver returns, in the form of the fields that it was loaded from."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from ddb2aurora.column_types import parse_column_type
from ddb2aurora.database.values import comparable, field_of


@pytest.mark.parametrize(
    ("value", "type_", "field"),
    [
        (None, "int", None),
        (7, "bigint", "7"),
        (1, "boolean", "1"),
        (Decimal("12.3400"), "decimal(10,4)", "12.34"),
        (Decimal(1200), "decimal(10,0)", "1200"),
        (0.1, "double", "0.1"),
        ("a, 'b' \\N", "varchar(20)", "a, 'b' \\N"),
        (b"\x00\xff", "varbinary(2)", "00ff"),
        ("\N{DUCK}".encode(), "text", "\N{DUCK}"),
        (datetime(2026, 1, 5, 10, 0, 0), "datetime", "2026-01-05 10:00:00"),  # noqa: DTZ001 - a DATETIME has no zone
        (datetime(2026, 1, 5, 10, 0, 0, 120_000), "datetime(3)", "2026-01-05 10:00:00.12"),  # noqa: DTZ001 - as above
        (date(2026, 1, 5), "date", "2026-01-05"),
    ],
)
def test_a_value_of_the_database_is_the_field_it_was_loaded_from(value, type_, field):
    assert field_of(value, parse_column_type(type_)) == field


@pytest.mark.parametrize("written", ['{"b": 1, "a": [1.50, true]}', '{"a":[1.5,true],"b":1}'])
def test_json_that_is_written_in_another_way_is_equal(written):
    json_type = parse_column_type("json")

    assert comparable(written, json_type) == '{"a":[1.5,true],"b":1}'
    assert field_of(written, json_type) == '{"a":[1.5,true],"b":1}'


def test_true_and_1_are_different_values_of_json():
    json_type = parse_column_type("json")

    assert comparable("[true]", json_type) != comparable("[1]", json_type)


def test_a_type_that_no_column_has_is_named():
    with pytest.raises(TypeError, match="a column of type date gave a timedelta"):
        field_of(timedelta(1), parse_column_type("date"))
