import copy
import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import items, numbers, values

from ddb2aurora.codec import (
    decode,
    decode_item,
    encode,
    encode_item,
    escape_pointer,
    number_from_text,
    number_to_text,
)
from ddb2aurora.errors import Reason, RejectError


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ({"S": 'a,"b"\n\0\u2028😀'}, 'a,"b"\n\0\u2028😀'),
        ({"S": ""}, ""),
        ({"N": "-12.50"}, Decimal("-12.5")),
        ({"N": "12345678901234567890123456789012345678"}, Decimal(12345678901234567890123456789012345678)),
        ({"B": "AAEC/w=="}, b"\x00\x01\x02\xff"),
        ({"B": ""}, b""),
        ({"BOOL": True}, True),
        ({"BOOL": False}, False),
        ({"NULL": True}, None),
        ({"M": {"k": {"S": "v"}, "e": {"M": {}}}}, {"k": "v", "e": {}}),
        ({"L": [{"N": "1"}, {"S": "x"}, {"L": []}]}, [Decimal(1), "x", []]),
        ({"SS": ["b", "a"]}, frozenset({"a", "b"})),
        ({"NS": ["1", "2.5"]}, frozenset({Decimal(1), Decimal("2.5")})),
        ({"BS": ["AA==", "AQ=="]}, frozenset({b"\x00", b"\x01"})),
    ],
)
def test_every_attribute_type_is_decoded(attribute, value):
    assert decode(attribute) == value
    assert type(decode(attribute)) is type(value)


@given(values)
def test_a_value_that_is_encoded_and_decoded_is_the_same(value):
    assert decode(encode(value)) == value


@given(items)
def test_an_item_that_is_encoded_and_decoded_is_the_same(item):
    assert decode_item(encode_item(item)) == item


@given(st.frozensets(numbers(), min_size=2))
def test_equal_sets_give_equal_json(members):
    backwards = frozenset(sorted(members, reverse=True))

    assert encode(members) == encode(backwards)


@given(numbers())
def test_a_number_keeps_every_digit(number):
    assert number_from_text(number_to_text(number)).as_tuple() == number.as_tuple()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0.000", "0"),
        ("0E-500", "0"),
        ("0E+99999", "0"),
        ("+7", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("00012.500", "12.5"),
        ("1e2", "1E+2"),
        ("1E-130", "1E-130"),
        ("-1E-130", "-1E-130"),
        ("1.2345678901234567890123456789012345678E-130", "1.2345678901234567890123456789012345678E-130"),
        ("9.9999999999999999999999999999999999999E+125", "9.9999999999999999999999999999999999999E+125"),
        ("1" + "0" * 125, "1E+125"),
        ("0." + "0" * 129 + "1", "1E-130"),
    ],
)
def test_a_number_is_read_in_every_way_to_write_it(text, number):
    assert number_from_text(text).as_tuple() == Decimal(number).as_tuple()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " 1",
        "1\n",
        "1_000",
        "1,5",
        "NaN",
        "Infinity",
        "-Infinity",
        "sNaN1",
        "0x10",
        "\u0661",
        "\uff11",
        "1e",
        "e5",
        ".",
        "+",
        "--1",
        "1E+123456",
        "1E126",
        "-9.99E126",
        "9.9E-131",
        "123456789012345678901234567890123456789",
        "1" * 100_000,
        1,
        1.5,
        True,
        None,
        [],
    ],
)
def test_what_is_no_number_of_dynamodb_is_rejected(text):
    with pytest.raises(RejectError) as caught:
        number_from_text(text, pointer="/n")

    assert (caught.value.reason, caught.value.pointer) == (Reason.BAD_NUMBER, "/n")


def test_the_decimal_context_of_the_thread_does_not_matter():
    context = decimal.Context(prec=3, traps=[decimal.Inexact, decimal.Rounded, decimal.Clamped])
    with decimal.localcontext(context):
        number = number_from_text("-12345678901234567890123456789012345678")

        assert number_to_text(number) == "-12345678901234567890123456789012345678"


@pytest.mark.parametrize(
    ("attribute", "pointer"),
    [
        ({}, ""),
        (None, ""),
        ("text", ""),
        ([], ""),
        ({"S": "a", "N": "1"}, ""),
        ({"X": "a"}, ""),
        ({"S": 1}, ""),
        ({"S": None}, ""),
        ({"B": "no base64!"}, ""),
        ({"B": "AA"}, ""),
        ({"B": "AA==\n"}, ""),
        ({"B": "ä"}, ""),
        ({"B": 1}, ""),
        ({"BOOL": "true"}, ""),
        ({"BOOL": 1}, ""),
        ({"NULL": False}, ""),
        ({"NULL": None}, ""),
        ({"M": []}, ""),
        ({"L": {}}, ""),
        ({"SS": []}, ""),
        ({"SS": "abc"}, ""),
        ({"SS": [1]}, "/0"),
        ({"BS": ["AA==", "?"]}, "/1"),
        ({"M": {"a/b~c": {"L": [{"S": "x"}, {"S": 5}]}}}, "/a~1b~0c/1"),
    ],
)
def test_what_is_not_dynamodb_json_is_rejected_at_its_place(attribute, pointer):
    with pytest.raises(RejectError) as caught:
        decode(attribute)

    assert (caught.value.reason, caught.value.pointer) == (Reason.UNDECODABLE, pointer)


def test_an_item_s_bad_attribute_is_named():
    with pytest.raises(RejectError) as caught:
        decode_item({"good": {"S": "x"}, "bad": {"NS": ["1", "many"]}})

    assert (caught.value.reason, caught.value.pointer) == (Reason.BAD_NUMBER, "/bad/1")


def _nested(levels):
    value = {"S": "deep"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


def test_all_the_levels_that_dynamodb_allows_are_decoded():
    value = decode(_nested(32))

    assert encode(value) == _nested(32)


def test_a_value_nested_deeper_than_dynamodb_allows_is_rejected():
    with pytest.raises(RejectError, match="nested deeper than 64 levels"):
        decode(_nested(400))


@pytest.mark.parametrize("value", [1, 1.5, object(), (1,), frozenset()])
def test_a_value_of_no_dynamodb_type_cannot_be_encoded(value):
    with pytest.raises(TypeError, match="DynamoDB has no type for a"):
        encode(value)


def test_a_set_of_mixed_types_cannot_be_encoded():
    with pytest.raises(TypeError, match="only strings, only numbers or only binaries"):
        encode(frozenset({"a", Decimal(1)}))


def test_decoding_leaves_its_input_alone():
    attribute = {"M": {"a": {"L": [{"N": "1.0"}]}}}
    before = copy.deepcopy(attribute)

    decode(attribute)

    assert attribute == before


@pytest.mark.parametrize(("step", "escaped"), [("a", "/a"), ("a/b~c", "/a~1b~0c"), (3, "/3"), ("", "/")])
def test_a_step_of_a_pointer_is_escaped(step, escaped):
    assert escape_pointer(step) == escaped
