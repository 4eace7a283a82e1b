import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddb2aurora.version import BACKFILL_VERSION, StreamArnError, parse_stream_arn, version_of

ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2026-01-05T10:00:00.000"


def test_a_version_is_the_epoch_before_the_sequence_number():
    version = version_of(stream_epoch_ms=1_767_607_200_000, sequence_number="3950500000000007790329561")

    assert version == 1_767_607_200_000_000_000_000_000_000_3950500000000007790329561


@given(
    st.tuples(st.integers(0, 10**25 - 1), st.integers(0, 10**40 - 1)),
    st.tuples(st.integers(0, 10**25 - 1), st.integers(0, 10**40 - 1)),
)
def test_versions_are_ordered_by_stream_and_then_by_sequence_number(one, other):
    versions = [version_of(stream_epoch_ms=epoch, sequence_number=str(number)) for epoch, number in (one, other)]

    assert (versions[0] < versions[1]) == (one < other)
    assert max(versions) < 10**65


def test_sequence_numbers_of_different_lengths_are_ordered_as_numbers():
    versions = [version_of(stream_epoch_ms=1, sequence_number=text) for text in ("9", "10", "0000000011")]

    assert versions == sorted(versions)


def test_any_change_beats_a_backfilled_row():
    assert version_of(stream_epoch_ms=1, sequence_number="0") > BACKFILL_VERSION


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", " 1", "1_0", "\u00b2", "\u0661", "1" * 41])
def test_a_sequence_number_is_1_to_40_digits(text):
    with pytest.raises(ValueError, match="a sequence number is 1 to 40 digits"):
        version_of(stream_epoch_ms=0, sequence_number=text)


@pytest.mark.parametrize("epoch_ms", [-1, 10**25])
def test_an_epoch_is_within_what_a_version_can_hold(epoch_ms):
    with pytest.raises(ValueError, match="a stream's epoch is at most 25 digits of ms"):
        version_of(stream_epoch_ms=epoch_ms, sequence_number="1")


@pytest.mark.parametrize(
    ("arn", "parsed"),
    [
        (ARN, ("orders", 1_767_607_200_000)),
        (ARN.replace("arn:aws:", "arn:aws-cn:").replace("orders", "a-b_c.d"), ("a-b_c.d", 1_767_607_200_000)),
        (ARN.replace(":00.000", ":00.123"), ("orders", 1_767_607_200_123)),
        (ARN.replace(":00.000", ":00.1239999"), ("orders", 1_767_607_200_123)),
        (ARN.replace(":00.000", ":00"), ("orders", 1_767_607_200_000)),
        (ARN + "Z", ("orders", 1_767_607_200_000)),
        (ARN.replace("eu-west-1:111122223333", ":"), ("orders", 1_767_607_200_000)),
    ],
)
def test_the_arn_of_a_stream_gives_table_and_epoch(arn, parsed):
    assert parse_stream_arn(arn) == parsed


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "arn:aws:kinesis:eu-west-1:111122223333:stream/orders",
        "arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
        ARN + "\n",
        ARN.replace("2026-01-05", "2026-13-05"),
        ARN.replace("2026-01-05", "2026-02-30"),
        ARN.replace("10:00:00", "25:00:00"),
        ARN.replace("2026", "1969"),
        ARN.replace("2026", "\u0662\u0660\u0662\u0666"),
    ],
)
def test_another_arn_is_refused_with_what_to_do(arn):
    with pytest.raises(StreamArnError, match="connect this function to one by an event source mapping"):
        parse_stream_arn(arn)
