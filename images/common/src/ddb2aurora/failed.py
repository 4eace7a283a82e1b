"""
Failed records as they lie under `failed/`: one JSON object a line, in the form that Data Firehose writes.

The stages write what Firehose cannot take in the same form, so that one reader serves for all of them. Firehose's
documentation shows every value as a string and the key `lambdaArn`; live objects hold numbers, and some `lambdaARN`.
The reader takes both.
"""

from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from ddb2aurora.errors import Ddb2AuroraError

_NOT_A_RECORD: Final = (
    msgspec.MsgspecError,
    Base64Error,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)


class FailedRecordError(Ddb2AuroraError):
    """A line under `failed/` is not a failed record."""


class FailedRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """
    One record that did not become a row; times are ms since 1970.

    *raw_data* is what was to be transformed (a change as one line of JSON), not what came of it.
    """

    attempts_made: int
    arrival_timestamp: int
    error_code: str
    error_message: str
    attempt_ending_timestamp: int
    raw_data: bytes
    lambda_arn: str = ""


def encode_failed(record: FailedRecord) -> bytes:
    """Return *record* as one line of JSON."""
    members: dict[str, Any] = msgspec.to_builtins(record, builtin_types=(bytes,))
    members["rawData"] = b64encode(record.raw_data).decode()
    return msgspec.json.encode(members) + b"\n"


def decode_failed(content: bytes) -> Iterator[FailedRecord]:
    """
    Yield the failed records of one object.

    Raises:
        FailedRecordError: A line is not a failed record; the text gives its number.
    """
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            members = {name.lower(): value for name, value in msgspec.json.decode(line, type=dict[str, Any]).items()}
            record = FailedRecord(
                attempts_made=int(members["attemptsmade"]),
                arrival_timestamp=int(members["arrivaltimestamp"]),
                error_code=str(members["errorcode"]),
                error_message=str(members["errormessage"]),
                attempt_ending_timestamp=int(members["attemptendingtimestamp"]),
                raw_data=a2b_base64(members["rawdata"], strict_mode=True),
                lambda_arn=str(members.get("lambdaarn", "")),
            )
        except _NOT_A_RECORD as error:
            raise FailedRecordError(f"line {number} is not a failed record ({type(error).__name__})") from error
        yield record


def failed_key(*, pipeline: str, error_type: str, at_ms: int, name: str) -> str:
    """Return the S3 key of an object under `failed/` that a stage writes itself; *at_ms* gives its hour (UTC)."""
    hour = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y/%m/%d/%H")
    return f"failed/{pipeline}/{error_type}/{hour}/{name}.json"
