"""PutRecord and PutRecordBatch: the two operations that must be fast, so they are decoded straight into values."""

import secrets
from typing import Any, TypeVar

import msgspec

from local_aws.faults import Faults
from local_aws.firehose.engine import Engine
from local_aws.firehose.errors import InvalidArgumentError, SerializationError, ServiceUnavailableError

# AWS: a record has at most 1,000 KiB before base64, a call at most 500 records and 4 MiB.
MOST_RECORD_BYTES = 1_024_000
MOST_RECORDS = 500
MOST_CALL_BYTES = 4 * 1024 * 1024

T = TypeVar("T")


class _Record(msgspec.Struct, rename="pascal", gc=False):
    data: bytes


class _PutRecord(msgspec.Struct, rename="pascal", gc=False):
    delivery_stream_name: str
    record: _Record


class _PutRecordBatch(msgspec.Struct, rename="pascal", gc=False):
    delivery_stream_name: str
    records: list[_Record]


_put_record = msgspec.json.Decoder(_PutRecord)
_put_record_batch = msgspec.json.Decoder(_PutRecordBatch)


def put_record(engine: Engine, body: bytes, *, faults: Faults) -> dict[str, Any]:
    """
    Accept one record.

    Raises:
        FirehoseError: The record is refused; the class says why.
    """
    given = _decoded(_put_record, body)
    accepted = _put(engine, given.delivery_stream_name, [given.record.data], faults)
    if not accepted[0]:
        raise ServiceUnavailableError("Slow down.")
    return {"RecordId": secrets.token_urlsafe(96), "Encrypted": False}


def put_record_batch(engine: Engine, body: bytes, *, faults: Faults) -> dict[str, Any]:
    """
    Accept records; the answer says for each, in the order of the request, whether it was.

    Raises:
        FirehoseError: The whole call is refused; the class says why.
    """
    given = _decoded(_put_record_batch, body)
    datas = [record.data for record in given.records]
    if not 1 <= len(datas) <= MOST_RECORDS:
        raise InvalidArgumentError(f"a call has 1 to {MOST_RECORDS} records, this one has {len(datas)}")
    accepted = _put(engine, given.delivery_stream_name, datas, faults)
    # The id that a put returns is opaque, and unrelated to the one that the transforming function sees.
    call = secrets.token_urlsafe(96)
    answers = [
        {"RecordId": f"{call}{index:04d}"}
        if welcome
        else {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
        for index, welcome in enumerate(accepted)
    ]
    return {"FailedPutCount": accepted.count(False), "Encrypted": False, "RequestResponses": answers}


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        # A member that is missing breaks a limit of the model; one of the wrong type is not JSON for this operation.
        refusal = InvalidArgumentError if "missing required field" in str(error) else SerializationError
        raise refusal(str(error)) from error
    except msgspec.DecodeError as error:
        raise SerializationError(str(error)) from error


def _put(engine: Engine, name: str, datas: list[bytes], faults: Faults) -> list[bool]:
    stream = engine.entry(name).stream
    largest = max(map(len, datas))
    if largest > MOST_RECORD_BYTES:
        raise InvalidArgumentError(f"a record has {largest} bytes, at most {MOST_RECORD_BYTES} are allowed")
    if sum(map(len, datas)) > MOST_CALL_BYTES:
        raise InvalidArgumentError(f"the records of a call have more than {MOST_CALL_BYTES} bytes together")
    if faults.strikes("firehose.throttle_call"):
        raise ServiceUnavailableError("Slow down.")
    return stream.put(datas)
