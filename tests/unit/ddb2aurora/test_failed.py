import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import texts

from ddb2aurora.failed import FailedRecord, FailedRecordError, decode_failed, encode_failed, failed_key

RECORD = FailedRecord(
    attempts_made=4,
    arrival_timestamp=1_764_000_000_123,
    error_code="Lambda.FunctionError",
    error_message="an error result",
    attempt_ending_timestamp=1_764_000_080_456,
    raw_data=b'{"k":"v"}\n',
    lambda_arn="arn:aws:lambda:eu-west-1:111122223333:function:transform:live",
)
LINE = (
    b'{"attemptsMade":4,"arrivalTimestamp":1764000000123,"errorCode":"Lambda.FunctionError",'
    b'"errorMessage":"an error result","attemptEndingTimestamp":1764000080456,"rawData":"eyJrIjoidiJ9Cg==",'
    b'"lambdaArn":"arn:aws:lambda:eu-west-1:111122223333:function:transform:live"}\n'
)


def test_a_failed_record_is_written_as_firehose_writes_it():
    assert encode_failed(RECORD) == LINE


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        LINE.replace(b"lambdaArn", b"lambdaARN"),
        LINE.replace(b":4,", b':"4",').replace(b"1764000000123", b'"1764000000123"'),
        LINE.rstrip(b"\n"),
        b"\n \r\n" + LINE,
    ],
)
def test_every_form_that_firehose_has_been_seen_to_write_is_read(line):
    assert list(decode_failed(line)) == [RECORD]


def test_a_record_without_a_function_is_read():
    line = LINE.split(b',"lambdaArn"')[0] + b"}"

    assert [record.lambda_arn for record in decode_failed(line)] == [""]


@given(
    st.lists(
        st.builds(
            FailedRecord,
            attempts_made=st.integers(0, 10),
            arrival_timestamp=st.integers(0, 10**13),
            error_code=texts,
            error_message=texts,
            attempt_ending_timestamp=st.integers(0, 10**13),
            raw_data=st.binary(),
            lambda_arn=texts,
        ),
        max_size=3,
    )
)
def test_records_that_are_encoded_and_decoded_are_the_same(records):
    assert list(decode_failed(b"".join(map(encode_failed, records)))) == records


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 20_000,
        LINE.replace(b"rawData", b"raw"),
        LINE.replace(b"eyJrIjoidiJ9Cg==", b"no base64!"),
        LINE.replace(b'"eyJrIjoidiJ9Cg=="', b"null"),
        LINE.replace(b":4,", b":null,"),
        LINE.replace(b":4,", b':"four",'),
        LINE.replace(b":4,", b":1e999,"),
    ],
)
def test_a_line_that_is_no_failed_record_is_named_by_its_number(line):
    with pytest.raises(FailedRecordError, match=r"^line 2 is not a failed record \("):
        list(decode_failed(LINE + line))


@given(st.binary())
def test_arbitrary_bytes_are_records_or_an_error_of_ours(content):
    try:
        records = list(decode_failed(content))
    except FailedRecordError:
        return

    assert records == []


def test_the_records_before_a_bad_line_are_not_lost():
    reading = decode_failed(LINE + b"{")

    assert next(reading) == RECORD


def test_a_key_under_failed_holds_the_hour_in_utc():
    key = failed_key(pipeline="things", error_type="oversized", at_ms=1_764_000_000_123, name="1-2")

    assert key == "failed/things/oversized/2025/11/24/16/1-2.json"
