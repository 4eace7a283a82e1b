import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import AWKWARD_TEXTS, rows, texts

from ddb2aurora.column_types import parse_column_type
from ddb2aurora.dialect import (
    LOAD_DIALECT,
    MalformedLineError,
    Row,
    decode_line,
    decode_row,
    encode_field,
    encode_row,
    load_columns,
)


def _row(*fields, operation="U", changed_at_ms=1_767_700_000_000):
    return Row("50c9d00c73d3", operation, 17676072000000000000000000000000100000000000000000001, changed_at_ms, fields)


# Bytes of the dialect that lie in buckets and have to load for ever.
GOLDEN_ROWS = {
    b"50c9d00c73d3,U,17676072000000000000000000000000100000000000000000001,1767700000000,a,1,boring\n": _row(
        "a", "1", "boring"
    ),
    b"50c9d00c73d3,D,17676072000000000000000000000000100000000000000000001,\\N,a,\\N,\\N\n": _row(
        "a", None, None, operation="D", changed_at_ms=None
    ),
    b"50c9d00c73d3,U,17676072000000000000000000000000100000000000000000001,1767700000000,,"
    b'"\\\\N",N,"NULL",null, a ,"a,b","\\"","\\\\","\\n","\\r","\\t","\\0","\\Z",'
    b"\xe2\x80\xa8,\xf0\x9f\x98\x80,00ff\n": _row(
        "", "\\N", "N", "NULL", "null", " a ", "a,b", '"', "\\", "\n", "\r", "\t", "\0", "\x1a", "\u2028", "😀", "00ff"
    ),
}


@pytest.mark.parametrize(("line", "row"), GOLDEN_ROWS.items())
def test_the_bytes_of_a_row_stay_what_they_are(line, row):
    assert encode_row(row) == line


@pytest.mark.parametrize(("line", "row"), GOLDEN_ROWS.items())
def test_the_bytes_of_a_row_are_read(line, row):
    assert decode_row(line) == row


def test_the_load_clause_stays_what_the_bytes_need():
    assert LOAD_DIALECT == (
        "CHARACTER SET utf8mb4\n"
        "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '\\\\'\n"
        "LINES TERMINATED BY '\\n'"
    )


@given(rows)
def test_a_row_that_is_encoded_and_decoded_is_the_same(row):
    assert decode_row(encode_row(row)) == row


@given(rows)
def test_a_row_is_one_line(row):
    line = encode_row(row)

    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")


@given(st.lists(st.none() | texts, min_size=1))
def test_fields_that_are_encoded_and_decoded_are_the_same(fields):
    line = ",".join(map(encode_field, fields)).encode()

    assert decode_line(line) == tuple(fields)


@pytest.mark.parametrize("text", AWKWARD_TEXTS)
def test_an_awkward_text_arrives_between_its_neighbours(text):
    line = encode_row(_row("before", text, None, "after"))

    assert decode_row(line).fields == ("before", text, None, "after")


def test_null_and_its_namesakes_are_told_apart():
    assert [encode_field(field) for field in (None, "\\N", "NULL", "null", "", "N")] == [
        "\\N",
        '"\\\\N"',
        '"NULL"',
        "null",
        "",
        "N",
    ]


def test_a_bare_word_null_is_null_as_load_data_reads_it():
    assert decode_line(b"NULL,\\N") == (None, None)


def test_half_of_a_surrogate_pair_cannot_be_written():
    with pytest.raises(UnicodeEncodeError):
        encode_row(_row("\ud800"))


@given(st.binary())
def test_arbitrary_bytes_are_fields_or_malformed(line):
    try:
        fields = decode_line(line)
    except MalformedLineError:
        return

    assert decode_line(",".join(map(encode_field, fields)).encode()) == fields


@given(st.builds(lambda row, at, what: encode_row(row)[:at] + what, rows, st.integers(0, 120), st.binary(max_size=5)))
def test_a_damaged_row_is_a_row_or_malformed(line):
    try:
        row = decode_row(line)
    except MalformedLineError:
        return

    assert decode_row(encode_row(row)) == row


@pytest.mark.parametrize(
    "line",
    [
        b"\xff",
        b'"open',
        b'"closed"more',
        b'"a" ,b',
        b'a"b',
        b'"a""b"',
        b"a\\",
        b"a\\N",
        b"\\n",
        b'"\\N"',
        b'"\\x"',
        b'"\\b"',
        b'"\\',
        b"two\nlines",
        b'"two\nlines"',
        b"one,\n\n",
        b"carriage\r",
        b'"tab\t"',
        b"nul\0",
        b"ctrl\x1a-z",
    ],
)
def test_what_the_writer_would_not_write_is_malformed(line):
    with pytest.raises(MalformedLineError):
        decode_line(line)


def test_a_malformed_field_is_named_by_its_number():
    with pytest.raises(MalformedLineError, match=r"^field 2 is not in the row dialect$"):
        decode_line(b'a,"b')


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"shape,U,1",
        b"\\N,U,1,1,a",
        b"shape,\\N,1,1,a",
        b"shape,X,1,1,a",
        b"shape,U,\\N,1,a",
        b"shape,U,,1,a",
        b"shape,U,-1,1,a",
        b"shape,U,1.0,1,a",
        "shape,U,\u0661,1,a".encode(),
        b"shape,U," + b"1" * 66 + b",1,a",
        b"shape,U,1,,a",
        b"shape,U,1,-1,a",
        b"shape,U,1,x,a",
    ],
)
def test_fields_that_do_not_begin_like_a_row_are_malformed(line):
    with pytest.raises(MalformedLineError):
        decode_row(line)


def test_the_columns_of_a_load_are_named_in_the_order_of_the_line():
    columns = [("id", parse_column_type("varchar(10)")), ("a`b", parse_column_type("json"))]

    assert load_columns(columns) == "(`_shape`, `_op`, `_version`, `_changed_at_ms`, `id`, `a``b`)"


def test_binary_columns_are_turned_back_from_hexadecimal():
    columns = [
        ("id", parse_column_type("varbinary(10)")),
        ("n", parse_column_type("int")),
        ("b`c", parse_column_type("blob")),
    ]

    assert load_columns(columns) == (
        "(`_shape`, `_op`, `_version`, `_changed_at_ms`, @b0, `n`, @b2) SET `id` = UNHEX(@b0), `b``c` = UNHEX(@b2)"
    )
