"""What a change of type means for values: exactly the same, refused, or not carried over at all."""

import itertools
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import numbers, texts

from ddb2aurora.column_types import parse_column_type
from ddb2aurora.fields import MisfitError, encoder_for
from ddb2aurora.widening import carries, holds

TYPES = [
    parse_column_type(text)
    for text in (
        "tinyint", "int", "int unsigned", "bigint", "bigint unsigned", "decimal(6,2)", "decimal(8,4)", "decimal(20,2)",
        "decimal(6,2) unsigned", "double", "boolean", "varchar(3)", "varchar(40)", "tinytext", "text", "varbinary(3)",
        "varbinary(40)", "blob", "json", "datetime", "datetime(3)", "date",
    )
]  # fmt: skip
values = st.one_of(
    texts,
    numbers(),
    st.integers(-(2**65), 2**65).map(Decimal),
    st.decimals("-99999", "99999", places=3),
    st.booleans(),
    st.binary(max_size=5),
    st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds")),
    st.dates().map(str),
    st.lists(texts, max_size=2),
)


def encoded(value, column_type):
    try:
        return encoder_for(column_type)(value)
    except MisfitError:
        return None


def broken(value, rule, allowed):
    """Return the pairs of types under *rule* for which the field of the new one is none of those *allowed*."""
    fields = {column_type: encoded(value, column_type) for column_type in TYPES}
    return [
        (old.sql, new.sql)
        for old, new in itertools.product(TYPES, TYPES)
        if fields[old] is not None and rule(old, new) and fields[new] not in allowed(fields[old])
    ]


@given(value=values)
@example(value=Decimal("1.50"))
@example(value=["a"])
def test_a_field_that_is_carried_over_is_what_the_value_gives_for_the_new_type_or_misfits_it(value):
    assert broken(value, carries, lambda field: (field, None)) == []


@given(value=values)
def test_a_type_that_holds_another_takes_every_value_of_it_as_it_is(value):
    assert broken(value, lambda old, new: holds(new, old), lambda field: (field,)) == []


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("bigint", "int"),
        ("bigint", "int unsigned"),
        ("bigint unsigned", "int unsigned"),
        ("decimal(8,4)", "decimal(6,2)"),
        ("decimal(6,2)", "decimal(6,2) unsigned"),
        ("varchar(41)", "varchar(40)"),
        ("varbinary(41)", "varbinary(40)"),
        ("text", "tinytext"),
        ("longblob", "blob"),
        ("datetime(3)", "datetime"),
        ("json", "json"),
    ],
)
def test_a_wider_type_holds_a_narrower_one_and_not_the_other_way_round(wide, narrow):
    wider, narrower = parse_column_type(wide), parse_column_type(narrow)

    assert (holds(wider, narrower), holds(narrower, wider)) == (True, wide == narrow)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("int", "bigint unsigned"),
        ("decimal(6,2)", "decimal(6,3)"),
        ("decimal(20,2) unsigned", "decimal(6,2)"),
        ("int", "decimal(20,0)"),
        ("varchar(40)", "text"),
        ("varchar(40)", "varbinary(40)"),
    ],
)
def test_types_of_which_neither_holds_the_other(one, other):
    one, other = parse_column_type(one), parse_column_type(other)

    assert (holds(one, other), holds(other, one)) == (False, False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("datetime(3)", "datetime"),
        ("int", "varchar(40)"),
        ("decimal(6,2)", "int"),
        ("int", "double"),
        ("boolean", "int"),
        ("varchar(40)", "int"),
        ("varchar(40)", "varbinary(40)"),
        ("text", "varchar(40)"),
        ("text", "json"),
        ("date", "datetime"),
    ],
)
def test_a_change_that_could_give_another_value_is_not_carried_over(old, new):
    assert not carries(parse_column_type(old), parse_column_type(new))
