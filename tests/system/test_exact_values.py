"""Every value arrives as it was written; the second and third pipeline of the stack are this folder's own."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from outside import Stack, eventually

TABLE = "many.types-of_items"
STRINGS = {
    "comma": "a,b,,c",
    "quotes": 'a "quoted" \'word\', "" and \'',
    "backslashes": "C:\\new\\table\\\\ and \\",
    "newlines": "one\ntwo\r\nthree\r\n\n",
    "nul": "a\0b",
    "tab": "a\tb\t",
    "control": "".join(map(chr, range(1, 32))),
    "emoji": "👩‍👩‍👧‍👦 🇩🇪",
    "line-separators": "a\u2028b\u2029c\x85d",
    "null-marker": "\\N",
    "null-word": "NULL",
    "leading-and-trailing-blanks": "  a  ",
    "only-blanks": "   ",
    "empty": "",
    "byte-order-mark": "\ufeffa\ufffe",
    "decomposed": "e\u0301 is not é",
    "terminator": '",\n"U","1',
    "percent": "100 %s %(x)s {file} ? :name",
}
NUMBERS = {
    "38-nines": "9" * 38,
    "38-nines-below-zero": "-" + "9" * 38,
    "one": "1",
    "zero": "0",
    "trailing-zeros": "1E37",
}
FRACTIONS = {
    "smallest": "0.000000000000000000000000000001",
    "38-digits": "12345678.901234567890123456789012345678",
    "largest": "99999999999999999999999999999999999",
    "negative": "-0.5",
}


@pytest.fixture(scope="module")
def loaded(stack: Stack) -> Stack:
    """All items of this module, put at once."""
    items: list[dict[str, Any]] = [
        {"id": {"S": f"string-{name}"}, "short_text": {"S": text}, "long_text": {"S": text}}
        for name, text in STRINGS.items()
    ]
    items += [{"id": {"S": f"number-{name}"}, "digits": {"N": text}} for name, text in NUMBERS.items()]
    items += [{"id": {"S": f"fraction-{name}"}, "fraction": {"N": text}} for name, text in FRACTIONS.items()]
    items += [{"id": {"S": name}, **attributes} for name, attributes in ITEMS.items()]
    for item in items:
        stack.put(TABLE, {"strict": {"N": "0"}, **item})
    eventually(
        lambda: {found for [found] in stack.rows("SELECT id FROM ManyTypes")}, {item["id"]["S"] for item in items}
    )
    return stack


ITEMS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "explicit-null": {"short_text": {"NULL": True}, "digits": {"NULL": True}, "tags": {"NULL": True}},
    "integers": {
        "tiny": {"N": "-128"},
        "whole": {"N": "-9223372036854775808"},
        "unsigned": {"N": "18446744073709551615"},
    },
    "double": {"approximate": {"N": "1.5E+125"}},
    "true": {"flag": {"BOOL": True}},
    "false": {"flag": {"BOOL": False}},
    "binary": {"bytes": {"B": bytes(range(256))}, "blob": {"B": b"\0\\N\n,\"'"}},
    "times": {"moment": {"S": "2026-01-05T10:00:00.125+02:00"}, "day": {"S": "2024-02-29"}},
    "string-set": {"tags": {"SS": ["b", "a", 'c"\\']}},
    "number-set": {"tags": {"NS": ["2", "1.5", "-3"]}},
    "map": {
        "nested": {
            "M": {
                "text": {"S": 'a"b\\c\nd'},
                "number": {"N": "12345678901234567890123456789012345678"},
                "list": {"L": [{"BOOL": True}, {"S": "second"}, {"NULL": True}]},
            }
        }
    },
    "dotted": {"a.b": {"S": "with a dot"}},
    "misfit-tolerated": {"lenient": {"S": "no number"}},
}


def row(stack: Stack, item: str, *columns: str) -> tuple[Any, ...]:
    names = ", ".join(column if "(" in column else f"`{column}`" for column in columns)  # some are reserved words
    [found] = stack.rows(f"SELECT {names} FROM ManyTypes WHERE id = %s", item)  # noqa: S608 - our names
    return found


@pytest.mark.parametrize("name", STRINGS)
def test_a_string_arrives_exactly(loaded: Stack, name: str):
    assert row(loaded, f"string-{name}", "short_text", "long_text") == (STRINGS[name], STRINGS[name])


@pytest.mark.parametrize("name", NUMBERS)
def test_a_whole_number_of_up_to_38_digits_arrives_exactly(loaded: Stack, name: str):
    assert row(loaded, f"number-{name}", "digits") == (Decimal(NUMBERS[name]),)


@pytest.mark.parametrize("name", FRACTIONS)
def test_a_fraction_arrives_exactly(loaded: Stack, name: str):
    assert row(loaded, f"fraction-{name}", "fraction") == (Decimal(FRACTIONS[name]),)


@pytest.mark.parametrize("item", ["nothing", "explicit-null"])
def test_an_absent_attribute_and_an_explicit_null_are_null_and_not_an_empty_string(loaded: Stack, item: str):
    assert row(loaded, item, "short_text", "digits", "tags", "flag", "blob") == (None, None, None, None, None)


def test_the_extremes_of_integers_arrive_exactly(loaded: Stack):
    assert row(loaded, "integers", "tiny", "whole", "unsigned") == (-128, -(2**63), 2**64 - 1)


def test_a_double_arrives_exactly(loaded: Stack):
    assert row(loaded, "double", "approximate") == (1.5e125,)


@pytest.mark.parametrize(("item", "expected"), [("true", 1), ("false", 0)])
def test_a_boolean_arrives(loaded: Stack, item: str, expected: int):
    assert row(loaded, item, "flag") == (expected,)


def test_binary_arrives_byte_for_byte(loaded: Stack):
    assert row(loaded, "binary", "bytes", "blob") == (bytes(range(256)), b"\0\\N\n,\"'")


def test_a_time_with_an_offset_arrives_in_utc_with_its_milliseconds(loaded: Stack):
    assert row(loaded, "times", "CAST(moment AS CHAR)", "CAST(day AS CHAR)") == (
        "2026-01-05 08:00:00.125",
        "2024-02-29",
    )


def test_sets_arrive_as_json_arrays_with_their_members_in_order(loaded: Stack):
    strings, numbers = (json.loads(row(loaded, item, "tags")[0]) for item in ("string-set", "number-set"))

    assert (strings, numbers) == (["a", "b", 'c"\\'], [-3, 1.5, 2])


def test_a_map_arrives_as_json_text_with_every_digit_and_a_value_inside_it_in_a_column(loaded: Stack):
    nested, inner = row(loaded, "map", "nested", "inner")

    assert json.loads(nested, parse_int=Decimal) == {
        "text": 'a"b\\c\nd',
        "number": Decimal(12345678901234567890123456789012345678),
        "list": [True, "second", None],
    }
    assert inner == "second"


def test_an_attribute_with_a_dot_in_its_name_arrives(loaded: Stack):
    assert row(loaded, "dotted", "dotted") == ("with a dot",)


def test_a_misfit_that_the_file_tolerates_is_null_and_the_row_is_there(loaded: Stack):
    assert row(loaded, "misfit-tolerated", "lenient") == (None,)


def test_the_facts_of_a_change_and_the_whole_item_arrive(loaded: Stack):
    event, item = row(loaded, "true", "event", "item")

    assert event == "INSERT"
    assert json.loads(item) == {"id": "true", "flag": True, "strict": 0}


def test_an_item_without_a_value_that_the_file_demands_makes_no_row(loaded: Stack):
    loaded.put(TABLE, {"id": {"S": "without"}})
    loaded.put(TABLE, {"id": {"S": "after"}, "strict": {"N": "1"}})

    query = "SELECT id, strict FROM ManyTypes WHERE id IN ('without', 'after')"
    eventually(lambda: loaded.rows(query), [("after", 1)])
    eventually(lambda: len(loaded.keys("failed/many_types/")), 1)


def test_numbers_and_binaries_are_keys_in_a_database_of_their_own(stack: Stack):
    kept, gone = {"account": {"N": "-7"}, "token": {"B": b"\0a"}}, {"account": {"N": "-7"}, "token": {"B": b"\0A"}}
    stack.put("other_keys", {**kept, "amount": {"N": "1.50"}})
    stack.put("other_keys", {**gone, "amount": {"N": "2"}})
    rows = "SELECT account, token, amount FROM Other.OtherKeys ORDER BY token"
    eventually(lambda: stack.rows(rows), [(-7, b"\0A", Decimal("2.00")), (-7, b"\0a", Decimal("1.50"))])

    stack.dynamodb.delete_item(TableName="other_keys", Key=gone)

    eventually(lambda: stack.rows(rows), [(-7, b"\0a", Decimal("1.50"))])


def test_migrate_says_that_the_tables_of_every_pipeline_are_there_as_the_readme_promises(stack: Stack):
    ddb2aurora = Path(sys.executable).with_name("ddb2aurora")

    answers = {
        name: subprocess.run(
            [ddb2aurora, "migrate", "--pipeline", name, "--pipelines", stack.pipelines],
            env={**os.environ, **stack.environment},  # noqa: TID251 - as a shell that has read the env file
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in ("web_analytics", "many_types", "other_keys")
    }

    assert set(answers.values()) == {"nothing to do: all tables are there and match\n"}
