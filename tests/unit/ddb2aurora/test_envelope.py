import msgspec
import pytest
from builders import a_change
from hypothesis import given
from hypothesis import strategies as st
from strategies import changes

from ddb2aurora.envelope import Change, decode_change, encode_change, lines_of
from ddb2aurora.errors import Reason, RejectError

# The bytes of format version 1, which lie in buckets and are never changed.
GOLDEN_UPSERT = (
    b'{"v":1,"event":"INSERT","id":"event-1","table":"things",'
    b'"keys":{"id":{"S":"a,\\"\\\\\\n\\u0000\xe2\x80\xa8\xf0\x9f\x98\x80"}},'
    b'"image":{"id":{"S":"a,\\"\\\\\\n\\u0000\xe2\x80\xa8\xf0\x9f\x98\x80"},'
    b'"n":{"N":"12345678901234567890123456789012345678"},"none":{"NULL":true},"bytes":{"B":"AP8="}},'
    b'"at_ms":1767700000000,"sequence":"100000000000000000001","epoch_ms":1767607200000,'
    b'"ttl":false,"trimmed":false}\n'
)
GOLDEN_DELETE = (
    b'{"v":1,"event":"REMOVE","id":"event-1","table":"things","keys":{"id":{"S":"a"}},"image":null,'
    b'"at_ms":null,"sequence":"100000000000000000001","epoch_ms":1767607200000,"ttl":true,"trimmed":false}\n'
)
_LINE = GOLDEN_DELETE


def _upsert():
    number = 12345678901234567890123456789012345678
    return a_change(item={"id": 'a,"\\\n\0\u2028😀', "n": number, "none": None, "bytes": b"\x00\xff"})


def test_the_bytes_of_an_upsert_in_version_1_stay_what_they_are():
    assert encode_change(_upsert()) == GOLDEN_UPSERT


def test_the_bytes_of_a_delete_in_version_1_stay_what_they_are():
    assert encode_change(a_change(kind="REMOVE", changed_at_ms=None, by_ttl=True)) == GOLDEN_DELETE


def test_the_bytes_of_version_1_are_read():
    assert [decode_change(line) for line in (GOLDEN_UPSERT, GOLDEN_DELETE)] == [
        _upsert(),
        a_change(kind="REMOVE", changed_at_ms=None, by_ttl=True),
    ]


def test_members_that_version_1_does_not_know_are_passed_over():
    line = GOLDEN_DELETE.replace(b'"v":1', b'"later":[1],"v":1')

    assert decode_change(line) == decode_change(GOLDEN_DELETE)


@given(changes())
def test_a_change_that_is_encoded_and_decoded_is_the_same(change):
    assert decode_change(encode_change(change)) == change


@given(changes())
def test_a_change_is_one_line(change):
    line = encode_change(change)

    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")


def test_the_newline_may_be_missing():
    assert decode_change(GOLDEN_DELETE.rstrip(b"\n")) == decode_change(GOLDEN_DELETE)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", Reason.UNDECODABLE),
        (b"\n", Reason.UNDECODABLE),
        (b"null", Reason.UNDECODABLE),
        (b"[]", Reason.UNDECODABLE),
        (b"\xff\xfe", Reason.UNDECODABLE),
        (b'{"v":1}', Reason.UNDECODABLE),
        (b'{"v":"1"}', Reason.UNDECODABLE),
        (b'{"v":2}', Reason.UNKNOWN_FORMAT),
        (_LINE.replace(b'"v":1', b'"v":2'), Reason.UNKNOWN_FORMAT),
        (_LINE.replace(b'"v":1', b'"v":0'), Reason.UNKNOWN_FORMAT),
        (_LINE[:-2], Reason.UNDECODABLE),
        (_LINE + _LINE, Reason.UNDECODABLE),
        (_LINE.replace(b"REMOVE", b"DELETE"), Reason.UNDECODABLE),
        (_LINE.replace(b'{"S":"a"}', b'"\xed\xa0\x80"'), Reason.UNDECODABLE),
        (_LINE.replace(b'{"S":"a"}', rb'"\ud800"'), Reason.UNDECODABLE),
        (_LINE.replace(b'{"S":"a"}', b"[" * 20_000), Reason.UNDECODABLE),
        (b"[" * 20_000, Reason.UNDECODABLE),
        (_LINE.replace(b'{"S":"a"}', b"1" * 5_000), Reason.UNDECODABLE),
        (_LINE.replace(b'"at_ms":null', b'"at_ms":-1'), Reason.UNDECODABLE),
        (_LINE.replace(b'"at_ms":null', b'"at_ms":253402300800000'), Reason.UNDECODABLE),
        (_LINE.replace(b'"at_ms":null', b'"at_ms":1' + b"0" * 30), Reason.UNDECODABLE),
        (_LINE.replace(b'"at_ms":null', b'"at_ms":1.5'), Reason.UNDECODABLE),
        (_LINE.replace(b'"epoch_ms":1767607200000', b'"epoch_ms":-1'), Reason.UNDECODABLE),
        (_LINE.replace(b'"epoch_ms":1767607200000', b'"epoch_ms":1' + b"0" * 30), Reason.UNDECODABLE),
    ],
)
def test_what_is_no_change_is_rejected_with_its_reason(line, reason):
    with pytest.raises(RejectError) as caught:
        decode_change(line)

    assert caught.value.reason is reason


@given(
    st.binary()
    | st.builds(
        lambda change, at, what: encode_change(change)[:at] + what,
        changes(),
        st.integers(0, 400),
        st.binary(max_size=6),
    )
)
def test_arbitrary_bytes_are_a_change_or_rejected(line):
    try:
        change = decode_change(line)
    except RejectError:
        return

    assert isinstance(change, Change)


def test_a_change_cannot_be_edited():
    with pytest.raises(AttributeError):
        a_change().table = "other"


def test_what_leaves_the_stream_processor_can_be_checked_before_it_is_sent():
    change = a_change(changed_at_ms=-5)

    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(msgspec.to_builtins(change), Change)


@given(st.lists(changes(), min_size=1, max_size=5))
def test_the_lines_of_a_record_are_the_changes_that_were_packed_into_it(packed):
    lines = tuple(encode_change(change) for change in packed)

    assert lines_of(b"".join(lines)) == lines


def test_a_line_that_is_no_change_is_a_line_among_those_that_are():
    assert lines_of(b"\n{\n" + GOLDEN_DELETE + b"\n" + GOLDEN_DELETE.strip()) == (b"{\n", GOLDEN_DELETE, GOLDEN_DELETE)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\n", id="an empty line"),
        pytest.param(b"\n\n\n", id="empty lines"),
        pytest.param(GOLDEN_DELETE, id="one change"),
        pytest.param(GOLDEN_DELETE.strip(), id="one change without its newline"),
        pytest.param(b"{\n}\n[\n]\n", id="garbage of several lines"),
        pytest.param(GOLDEN_DELETE.replace(b"{", b"{\n").replace(b",", b",\n"), id="one change on several lines"),
    ],
)
def test_a_record_without_several_changes_is_one_piece(data):
    assert lines_of(data) == (data,)
