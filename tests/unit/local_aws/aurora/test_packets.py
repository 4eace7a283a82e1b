import pytest

from local_aws.aurora.packets import Header, query_packet, readable_greeting


def greeting(capabilities):
    """Return what a server sends first."""
    low, high = (capabilities & 0xFFFF).to_bytes(2, "little"), (capabilities >> 16).to_bytes(2, "little")
    return b"\x0a8.4.7\0" + b"\x01\0\0\0" + b"scramble" + b"\0" + low + b"\xff" + b"\x02\0" + high + b"\x15" + bytes(10)


def test_a_greeting_offers_neither_encryption_compression_nor_query_attributes():
    everything = 0xFFFF_FFFF

    patched = readable_greeting(greeting(everything))

    assert patched == greeting(everything - (1 << 5) - (1 << 11) - (1 << 26) - (1 << 27))


@pytest.mark.parametrize("payload", [b"", b"\xff\x10\x04Too many connections", b"\x09old"])
def test_what_is_no_greeting_of_protocol_10_is_unchanged(payload):
    assert readable_greeting(payload) == payload


def test_a_query_packet_has_its_length_and_begins_a_sequence():
    assert query_packet(b"DO 0") == b"\x05\x00\x00\x00\x03DO 0"


@pytest.mark.parametrize(
    ("header", "previous", "begins"),
    [
        (Header(5, 0), None, True),
        (Header(5, 1), None, False),
        (Header(5, 0), Header(5, 3), True),
        (Header(5, 0), Header(8192, 255), False),
        (Header(5, 0), Header(0, 255), True),
    ],
    ids=["first", "numbered", "after another", "in a stream that wraps around", "after the end of a local file"],
)
def test_a_command_begins_where_the_numbers_begin_anew(header, previous, begins):
    assert header.begins_command(previous) is begins
