"""Columns get names that nobody has to quote, and what MySQL would make of the attributes' own names is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import texts

from operator_cli.planning.names import RESERVED_WORDS, column_name, snake_case, troubles_of


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["pageId"], "page_id"),
        (["HTTPServer"], "http_server"),
        (["device", "Location", "country-code"], "device_location_country_code"),
        (["Straße Größe"], "stra_e_gro_e"),
        (["été"], "ete"),
        (["  __x__ "], "x"),
        (["日本"], ""),
    ],
)
def test_names_are_made_of_small_letters_digits_and_underscores(steps, expected):
    assert snake_case(steps) == expected


@pytest.mark.parametrize(
    ("steps", "taken", "expected"),
    [
        (["order"], [], "order_"),
        (["order"], ["order_"], "order_2"),
        (["a"], ["a", "a_2"], "a_3"),
        (["1st"], [], "c1st"),
        (["日本"], [], "column_"),
        (["x" * 80], [], "x" * 64),
        (["x" * 80], ["x" * 64], "x" * 62 + "_2"),
    ],
)
def test_a_name_is_none_that_is_taken_reserved_or_too_long(steps, taken, expected):
    assert column_name(steps, taken=taken) == expected


@given(st.lists(texts, min_size=1, max_size=20))
def test_all_names_are_distinct_to_mysql_and_none_needs_quotes(attributes):
    names = []
    for attribute in attributes:
        names.append(column_name([attribute], taken=names))

    assert len({name.lower() for name in names}) == len(names)
    assert all(name.isascii() and name.islower() and len(name) <= 64 for name in names)
    assert not RESERVED_WORDS & set(names)


def test_each_trouble_with_a_name_is_told():
    names = [
        "Order",
        "order",
        "e",
        "é",
        "x ",
        "long" * 20,
        "\u202e",
        "\u202e\u0301",
        "_version",
        "_DDB2AURORA_x",
        "fine",
    ]

    assert troubles_of(names) == [
        "'Order' is a reserved word of MySQL",
        "'_DDB2AURORA_x' is a name that ddb2aurora keeps for itself",
        "'_version' is a name that ddb2aurora keeps for itself",
        "'longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglong'… is longer than MySQL's 64 characters",
        "'order' and 'Order' are one name to MySQL",
        "'order' is a reserved word of MySQL",
        "'x ' ends in a blank, which no column may",
        "'é' and 'e' are one name to MySQL",
        "'\\u202e\u0301' and '\\u202e' are one name to MySQL",
    ]
