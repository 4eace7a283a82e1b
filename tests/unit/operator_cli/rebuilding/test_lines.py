"""Lines of a backup object, whatever its bytes are and however they arrive."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_cli.rebuilding import lines
from operator_cli.rebuilding.lines import DamagedObjectError, lines_in, unpacked

CONTENT = b"first\nsecond\n" * 1000


def in_chunks(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.integers(1, 50))
def test_lines_are_the_same_however_the_bytes_arrive(written, size):
    content = b"".join(line + b"\n" for line in written)

    assert list(lines_in(in_chunks(content, size))) == [line for line in written if line.strip()]


def test_a_last_line_needs_no_newline():
    assert list(lines_in([b"a\nb"])) == [b"a", b"b"]


def test_a_line_that_is_too_long_is_told_and_its_neighbours_stay(monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_LINE_BYTES", 10)

    assert list(lines_in(in_chunks(b"a\n" + b"x" * 50 + b"\nb\n" + b"y" * 50, 4))) == [b"a", None, b"b", None]


@pytest.mark.parametrize("size", [1, 7, 2**18])
def test_gzip_is_unpacked_however_it_arrives(size):
    assert b"".join(unpacked(in_chunks(gzip.compress(CONTENT), 2 if size == 1 else size))) == CONTENT


def test_what_is_no_gzip_is_taken_as_it_is():
    assert b"".join(unpacked([b"ab", b"c"])) == b"abc"


def test_an_empty_object_holds_nothing():
    assert b"".join(unpacked([])) == b""


def test_several_in_one_object_and_zeros_after_them_are_all_unpacked():
    content = gzip.compress(b"a") + gzip.compress(b"b") + b"\0" * 100

    assert b"".join(unpacked(in_chunks(content, 3))) == b"ab"


def test_no_piece_is_larger_than_a_megabyte_however_well_it_was_packed():
    pieces = list(unpacked([gzip.compress(b"\0" * 2**24)]))

    assert max(map(len, pieces)) <= 2**20
    assert sum(map(len, pieces)) == 2**24


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(gzip.compress(CONTENT)[:-9], "breaks off", id="cut"),
        pytest.param(gzip.compress(CONTENT)[:-8] + bytes(8), "damaged", id="wrong-check"),
        pytest.param(b"\x1f\x8bnothing", "damaged", id="no-gzip"),
    ],
)
def test_what_breaks_off_or_is_damaged_says_so_after_what_came_before(content, why):
    pieces = []

    with pytest.raises(DamagedObjectError, match=why):
        pieces.extend(unpacked([content]))

    assert CONTENT.startswith(b"".join(pieces))


def test_a_damaged_object_says_why():
    with pytest.raises(DamagedObjectError) as found:
        list(unpacked([b"\x1f\x8bnothing"]))

    assert isinstance(found.value.__cause__, zlib.error)
