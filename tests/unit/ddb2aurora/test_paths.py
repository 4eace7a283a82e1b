import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import texts

from ddb2aurora.paths import MISSING, look_up, parse_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("page_id", ("page_id",)),
        ("device.location.country", ("device", "location", "country")),
        ("visits[0].page", ("visits", 0, "page")),
        ("matrix[1][22]", ("matrix", 1, 22)),
        ('["a.b"]["c"]', ("a.b", "c")),
        ('a["b c"].d', ("a", "b c", "d")),
        ('["$item"]', ("$item",)),
        ('["say \\"hi\\" \\\\"]', ('say "hi" \\',)),
        ('["two\nlines"]', ("two\nlines",)),
        ('["[0]"]', ("[0]",)),
        ("with blank.größe", ("with blank", "größe")),
        ("a$b", ("a$b",)),
        ("0", ("0",)),
    ],
)
def test_a_path_is_names_and_indexes(text, path):
    assert parse_path(text) == path


@given(st.lists(texts.filter(bool), min_size=1).map(tuple))
def test_every_name_can_be_written_in_brackets_and_quotes(path):
    text = "".join('["' + step.replace("\\", "\\\\").replace('"', '\\"') + '"]' for step in path)

    assert parse_path(text) == path


@pytest.mark.parametrize(
    ("text", "character"),
    [
        (".a", 1),
        ("a..b", 2),
        ("a.", 2),
        ("a[", 2),
        ("a[x]", 2),
        ("a[-1]", 2),
        ("a[1234567]", 2),
        ("a[\u0661]", 2),
        ('a["b"]c', 7),
        ('a[""]', 2),
        ('a["b]', 2),
        ("$changed_at", 1),
        ("a.$b", 2),
        ('"a"', 1),
        ("a]", 2),
    ],
)
def test_what_is_no_path_is_refused_where_it_stops_making_sense(text, character):
    with pytest.raises(ValueError, match=f"stops making sense at character {character}$"):
        parse_path(text)


@pytest.mark.parametrize("text", ["", "[0]", "[0].a"])
def test_a_path_begins_with_an_attribute(text):
    with pytest.raises(ValueError, match="must begin with the name of an attribute"):
        parse_path(text)


ITEM = {"a": {"b": [10, {"c": None}]}, "set": frozenset({"x"}), "text": "abc", "": {"": 1}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("a", "b", 0), 10),
        (("a", "b", 1, "c"), None),
        (("text",), "abc"),
        (("", ""), 1),
        (("a", "b", 2), MISSING),
        (("a", "x"), MISSING),
        (("x",), MISSING),
        (("a", 0), MISSING),
        (("a", "b", "c"), MISSING),
        (("text", 0), MISSING),
        (("text", "b"), MISSING),
        (("set", 0), MISSING),
        (("a", "b", 1, "c", "d"), MISSING),
    ],
)
def test_a_value_is_found_or_missing_and_null_is_a_value(path, value):
    assert look_up(ITEM, path) == value


def test_looking_up_changes_nothing():
    before = json.dumps(ITEM, default=sorted)

    look_up(ITEM, ("a", "b", 5))

    assert json.dumps(ITEM, default=sorted) == before
