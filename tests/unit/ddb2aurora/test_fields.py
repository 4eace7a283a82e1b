import json
import math
import re
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import json_numbers, json_values, numbers, texts, values

from ddb2aurora.column_types import parse_column_type
from ddb2aurora.errors import Reason
from ddb2aurora.fields import MisfitError, encoder_for

TYPES = (
    *(f"{size}int{sign}" for size in ("tiny", "small", "medium", "", "big") for sign in ("", " unsigned")),
    "decimal(38,10)",
    "decimal(65,30)",
    "decimal(5,5)",
    "decimal(3) unsigned",
    "double",
    "boolean",
    "varchar(5)",
    "varchar(16383)",
    "tinytext",
    "text",
    "longtext",
    "varbinary(5)",
    "varbinary(65532)",
    "tinyblob",
    "longblob",
    "json",
    "datetime",
    "datetime(3)",
    "datetime(6)",
    "date",
)


def encode(type_, value):
    return encoder_for(parse_column_type(type_))(value)


def read_back(type_, field):  # noqa: PLR0911 - one return a type
    """Return what a column of *type_* holds after *field* was loaded, said without our own encoders."""
    kind = parse_column_type(type_).kind
    match kind:
        case "integer":
            assert re.fullmatch("0|-?[1-9][0-9]*", field)
            return Decimal(field)
        case "decimal":
            assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", field)
            return Decimal(field)
        case "double":
            return Decimal(repr(float(field)))
        case "boolean":
            return {"1": True, "0": False}[field]
        case "varbinary" | "blob":
            return bytes.fromhex(field)
        case "json":
            return json.loads(field, parse_float=lambda text: Decimal(repr(float(text))), parse_int=Decimal)
    return field


def plain(value):
    """Return *value* as JSON would say it, with numbers as `Decimal`."""
    match value:
        case bool() | str() | None:
            return value
        case int() | Decimal():
            return Decimal(value)
        case bytes():
            return b64encode(value).decode()
        case dict():
            return {name: plain(inner) for name, inner in value.items()}
        case frozenset():
            return [plain(inner) for inner in sorted(value)]
    return [plain(inner) for inner in value]


def expected(type_, value):
    """Return what a column of *type_* must hold for *value*, if it takes it at all."""
    kind = parse_column_type(type_).kind
    if kind in ("varbinary", "blob"):
        return value.encode() if isinstance(value, str) else value
    if kind in ("varchar", "text"):
        match value:
            case str():
                return value
            case bool():
                return json.dumps(value)
            case int() | Decimal():
                return f"{Decimal(value):f}"
        assert kind == "text"
        assert not isinstance(value, bytes)
        return None
    return plain(value)


@given(st.sampled_from(TYPES), values | json_values)
def test_a_field_stands_for_exactly_the_same_value_or_the_value_is_a_misfit(type_, value):
    if value is None:
        return
    try:
        field = encode(type_, value)
    except MisfitError:
        return

    if parse_column_type(type_).kind in ("datetime", "date"):
        assert isinstance(value, str)
    elif parse_column_type(type_).kind == "text" and isinstance(value, (dict, list, frozenset)):
        assert json.loads(field, parse_float=Decimal, parse_int=Decimal) == plain(value)
    else:
        assert read_back(type_, field) == expected(type_, value)


@given(
    st.sampled_from([type_ for type_ in TYPES if re.match("[a-z]*int|decimal|double|json", type_)]),
    json_numbers | numbers(),
)
def test_a_number_is_stored_exactly_or_a_misfit(type_, number):
    try:
        field = encode(type_, number)
    except MisfitError:
        return

    assert read_back(type_, field) == number


@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_every_normal_double_fits_a_double(double):
    assert float(encode("double", Decimal(repr(double)))) == double


@given(st.integers(min_value=-(2**63), max_value=2**64 - 1))
def test_every_64_bit_integer_fits_json(number):
    assert encode("json", number) == encode("json", Decimal(number)) == str(number)


@given(
    st.decimals(min_value=-(10**15), max_value=10**15, places=6).filter(
        lambda number: len(number.as_tuple().digits) <= 15
    )
)
def test_every_decimal_of_15_digits_fits_json(number):
    assert Decimal(encode("json", number)) == number


def _as_mysql_reads(text):
    """Return the double that RapidJSON makes of *text* without its full-precision flag, which MySQL does not set."""
    sign, whole, fraction, exponent = re.fullmatch(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:e([+-]?[0-9]+))?", text).groups("")
    significand, scale = int(whole), 0
    double = None
    for digit in fraction:
        if double is None and significand <= 2**53 - 1:
            significand, scale = significand * 10 + int(digit), scale - 1
        else:
            double, scale = (float(significand) if double is None else double) * 10.0 + int(digit), scale - 1
    double = float(significand) if double is None else double
    power = int(exponent or "0") + scale
    assert abs(power) <= 308
    double = double * float(f"1e{power}") if power >= 0 else double / float(f"1e{-power}")
    return -double if sign else double


@given(
    st.floats(allow_nan=False, allow_infinity=False).filter(
        lambda double: double != int(double) or abs(double) >= 2**64
    )
)
def test_a_double_in_json_is_what_mysql_reads_or_a_misfit(double):
    number = Decimal(repr(double))
    try:
        text = encode("json", number)
    except MisfitError:
        return

    assert Decimal(text) == number
    assert _as_mysql_reads(text) == double


@pytest.mark.parametrize(
    ("type_", "value", "field"),
    [
        ("tinyint", -128, "-128"),
        ("tinyint unsigned", Decimal(255), "255"),
        ("bigint", Decimal(-9223372036854775808), "-9223372036854775808"),
        ("bigint unsigned", Decimal("1.8446744073709551615E+19"), "18446744073709551615"),
        ("int", Decimal("-0.0"), "0"),
        ("int", Decimal("1E+3"), "1000"),
        ("int", Decimal("5.000"), "5"),
        ("decimal(38,0)", Decimal(12345678901234567890123456789012345678), "12345678901234567890123456789012345678"),
        ("decimal(38,0)", 12345678901234567890123456789012345678, "12345678901234567890123456789012345678"),
        ("decimal(65,30)", Decimal("-1E-30"), "-0.000000000000000000000000000001"),
        ("decimal(65,30)", Decimal("9E+34"), "9" + "0" * 34),
        ("decimal(5,5)", Decimal("0.99999"), "0.99999"),
        ("decimal(5,2)", Decimal("-0"), "0"),
        ("decimal(5,2)", Decimal("0E-400"), "0"),
        ("decimal(5,2)", Decimal("1.500000"), "1.5"),
        ("decimal(5,2)", Decimal(100), "100"),
        ("double", Decimal("0.1"), "0.1"),
        ("double", Decimal("-1E+100"), "-1e+100"),
        ("double", Decimal("1.7976931348623157E+308"), "1.7976931348623157e+308"),
        ("double", Decimal("2.2250738585072014E-308"), "2.2250738585072014e-308"),
        ("double", 2**53, "9007199254740992.0"),
        ("double", Decimal("-0.0"), "0.0"),
        ("boolean", True, "1"),
        ("boolean", False, "0"),
        ("varchar(5)", "", ""),
        ("varchar(5)", "😀😀😀😀😀", "😀😀😀😀😀"),
        ("varchar(5)", " a\0\n ", " a\0\n "),
        ("varchar(5)", True, "true"),
        ("varchar(5)", False, "false"),
        ("varchar(5)", Decimal("-1E+3"), "-1000"),
        ("varchar(5)", 12345, "12345"),
        ("tinytext", "ä" * 127, "ä" * 127),
        ("text", Decimal("1E-10"), "0.0000000001"),
        ("text", {}, "{}"),
        ("text", [], "[]"),
        (
            "text",
            {"b": [None, True, 1, Decimal("1E+30")], "a": frozenset({"y", "x"}), 'k"\n': b"\x00", "n": Decimal("0.10")},
            '{"b":[null,true,1,1000000000000000000000000000000],"a":["x","y"],"k\\"\\n":"AA==","n":0.10}',
        ),
        ("varbinary(5)", b"\x00\xff", "00ff"),
        ("varbinary(5)", "", ""),
        ("varbinary(5)", "é\0", "c3a900"),
        ("blob", b"", ""),
        ("json", 'a\u2028"\\', '"a\u2028\\"\\\\"'),
        ("json", Decimal("1.0"), "1"),
        ("json", Decimal("-0.0"), "0"),
        ("json", Decimal("0.1"), "0.1"),
        ("json", Decimal("1E+100"), "1e+100"),
        ("json", Decimal("-1E-7"), "-1e-07"),
        ("json", Decimal("-0.30000000000000004"), "-30000000000000004e-17"),
        ("json", 2**64 - 1, "18446744073709551615"),
        ("json", frozenset({Decimal(10), Decimal(9)}), "[9,10]"),
        ("json", b"\x00\xff", '"AP8="'),
        ("datetime", "2026-01-05T10:00:00", "2026-01-05 10:00:00"),
        ("datetime", "2026-01-05 10:00:00.000Z", "2026-01-05 10:00:00"),
        ("datetime(3)", "2026-01-05T10:00:00.1200Z", "2026-01-05 10:00:00.12"),
        ("datetime(6)", "2026-01-05T00:30:00.000001+05:30", "2026-01-04 19:00:00.000001"),
        ("datetime", "2026-12-31T23:00:00-02:00", "2027-01-01 01:00:00"),
        ("datetime", "1000-01-01T00:00:00Z", "1000-01-01 00:00:00"),
        ("datetime", "9999-12-31T23:59:59Z", "9999-12-31 23:59:59"),
        ("datetime", "0999-12-31T23:00:00-02:00", "1000-01-01 01:00:00"),
        ("date", "2024-02-29", "2024-02-29"),
        ("date", "1000-01-01", "1000-01-01"),
    ],
)
def test_a_value_that_fits_has_this_field(type_, value, field):
    assert encode(type_, value) == field


@pytest.mark.parametrize(
    ("type_", "value", "detail"),
    [
        ("tinyint", 128, "outside the range of tinyint"),
        ("tinyint", -129, "outside the range of tinyint"),
        ("int unsigned", -1, "outside the range of int unsigned"),
        ("bigint", Decimal("1E+125"), "outside the range of bigint"),
        ("int", Decimal("0.5"), "not a whole number"),
        ("int", Decimal("1E-130"), "not a whole number"),
        ("int", "1", "not a number"),
        ("int", True, "not a number"),
        ("int", b"1", "not a number"),
        ("decimal(5,2)", Decimal(1000), "more than 3 digits before the point"),
        ("decimal(5,2)", Decimal("1E+125"), "more than 3 digits before the point"),
        ("decimal(5,5)", 1, "more than 0 digits before the point"),
        ("decimal(5,2)", Decimal("0.001"), "more than 2 digits after the point"),
        ("decimal(5,2)", Decimal("1E-130"), "more than 2 digits after the point"),
        ("decimal(5) unsigned", -1, "negative in an unsigned column"),
        ("decimal(5)", False, "not a number"),
        ("double", Decimal("0.12345678901234567890"), "not exact as a double"),
        ("double", 2**53 + 1, "not exact as a double"),
        ("double", 10**400, "not exact as a double"),
        ("double", Decimal("1E+400"), "not exact as a double"),
        ("double", Decimal("1E-400"), "not exact as a double"),
        ("double", Decimal("5E-324"), "not exact as a double"),
        ("double", "1.5", "not a number"),
        ("boolean", 1, "not a boolean"),
        ("boolean", "true", "not a boolean"),
        ("varchar(5)", "123456", "longer than 5 characters"),
        ("varchar(5)", Decimal("1E+5"), "longer than 5 characters"),
        ("varchar(5)", {}, "not a string, a number or a boolean"),
        ("varchar(5)", b"a", "not a string, a number or a boolean"),
        ("tinytext", "ä" * 128, "longer than 255 bytes"),
        ("tinytext", ["x" * 255], "longer than 255 bytes"),
        ("text", b"a", "binary in a text column; use a blob type"),
        ("varbinary(5)", b"123456", "longer than 5 bytes"),
        ("varbinary(5)", "ééé", "longer than 5 bytes"),
        ("varbinary(5)", 1, "neither binary nor a string"),
        ("tinyblob", [], "neither binary nor a string"),
        ("datetime", 1, "not an ISO 8601 date and time"),
        ("datetime", "2026-01-05", "not an ISO 8601 date and time"),
        ("datetime", "2026-01-05T10:00:00\n", "not an ISO 8601 date and time"),
        ("datetime", "2026-01-05T10:00:00.", "not an ISO 8601 date and time"),
        ("datetime", "2026-01-05T10:00:00z", "not an ISO 8601 date and time"),
        ("datetime", "\u0662\u0660\u0662\u0666-01-05T10:00:00", "not an ISO 8601 date and time"),
        ("datetime", "2026-01-05T10:00:00.5", "more than 0 digits of a second"),
        ("datetime(3)", "2026-01-05T10:00:00.0001", "more than 3 digits of a second"),
        ("datetime", "2026-02-29T10:00:00", "no such date and time"),
        ("datetime", "2026-01-05T10:00:60", "no such date and time"),
        ("datetime", "2026-01-05T10:00:00+24:00", "no such date and time"),
        ("datetime", "9999-12-31T23:59:59-01:00", "no such date and time"),
        ("datetime", "0001-01-01T00:00:00+01:00", "no such date and time"),
        ("datetime", "0000-01-01T00:00:00", "no such date and time"),
        ("datetime", "0999-12-31T23:59:59", "before the year 1000"),
        ("datetime", "1000-01-01T00:00:00+00:01", "before the year 1000"),
        ("date", "2026-1-5", "not an ISO 8601 date"),
        ("date", "20260105", "not an ISO 8601 date"),
        ("date", date(2026, 1, 5), "not an ISO 8601 date"),
        ("date", "2026-02-30", "no such date"),
        ("date", "0999-12-31", "before the year 1000"),
    ],
)
def test_a_value_that_does_not_fit_is_a_misfit_that_names_the_broken_rule(type_, value, detail):
    with pytest.raises(MisfitError) as caught:
        encode(type_, value)

    assert (caught.value.reason, caught.value.detail) == (Reason.MISFIT, detail)


@pytest.mark.parametrize(
    "number",
    [
        Decimal("0.1234567890123456789"),
        2**64,
        -(2**63) - 1,
        Decimal("1E+309"),
        Decimal("5E-324"),
        # MySQL's parser of JSON rounds these twice and is one bit off.
        Decimal("-10.123456789012345"),
        Decimal("2.2250738585072014E-308"),
    ],
)
def test_a_number_that_mysql_would_not_keep_exactly_in_json_is_a_misfit(number):
    with pytest.raises(MisfitError, match="use a text type"):
        encode("json", {"deep": [number]})


def test_the_same_number_fits_a_text_column():
    assert encode("text", [Decimal("-10.123456789012345"), 2**64]) == "[-10.123456789012345,18446744073709551616]"


@pytest.mark.parametrize("type_", ["text", "json"])
def test_json_of_100_levels_fits_and_of_101_does_not(type_):
    nested = []
    for _ in range(99):
        nested = [nested]

    assert encode(type_, nested) == "[" * 100 + "]" * 100
    with pytest.raises(MisfitError, match="nested deeper than 100 levels"):
        encode(type_, [nested])


@pytest.mark.parametrize(("length", "fits"), [(65_535, True), (65_536, False)])
def test_a_name_in_json_has_the_length_that_mysql_allows(length, fits):
    document = {"é" + "n" * (length - 2): 1}

    if fits:
        assert json.loads(encode("json", document)) == document
    else:
        with pytest.raises(MisfitError, match="a name inside is longer than 65535 bytes"):
            encode("json", document)


@given(
    st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001 - the strategy adds it
    st.integers(-23 * 60, 23 * 60),
)
def test_a_moment_is_the_same_in_utc(moment, offset_minutes):
    shifted = (moment + timedelta(minutes=offset_minutes)).replace(tzinfo=None)
    sign = "-" if offset_minutes < 0 else "+"
    offset = f"{sign}{abs(offset_minutes) // 60:02d}:{abs(offset_minutes) % 60:02d}"

    field = encode("datetime(6)", f"{shifted.isoformat(timespec='microseconds')}{offset}")

    assert datetime.fromisoformat(field + "+00:00") == moment


@given(texts)
def test_any_text_fits_a_long_text_and_a_blob_as_it_is(text):
    assert encode("longtext", text) == text
    assert bytes.fromhex(encode("longblob", text)).decode() == text


def test_infinity_is_never_written():
    assert not math.isinf(float(encode("double", Decimal("1.7976931348623157E+308"))))
