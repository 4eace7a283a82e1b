"""What Firehose asks of a function, and what it makes of the answers."""

import base64
import json
from typing import Any

from conformance.rule import expect, rule
from conformance.subject import Stream, Subject


@rule(
    "The function gets `invocationId`, `deliveryStreamArn`, `region` and records of `recordId`, "
    "`approximateArrivalTimestamp` and base64 `data`",
    needs_function=True,
)
def event_of_the_function(subject: Subject) -> None:
    stream = subject.stream(transform={})

    stream.put(b"event:", b"ok:")

    seen = _seen(stream)
    expected = {
        "members": ["deliveryStreamArn", "invocationId", "records", "region"],
        "record": ["approximateArrivalTimestamp", "data", "recordId"],
        "ids": seen["records"],
        "arrival": "int",
        "stream": stream.describe()["DeliveryStreamARN"],
        "region": "us-east-1",
    }
    others = {name: seen[name] for name, value in expected.items() if seen[name] != value}
    expect(not others, f"differs: {json.dumps(others)}")


@rule("Records of several calls are gathered for one invocation (`BufferIntervalInSeconds`)", needs_function=True)
def gathered_for_the_function(subject: Subject) -> None:
    stream = subject.stream(transform={"BufferIntervalInSeconds": "2"})

    stream.put(b"ok:")
    stream.put(b"event:")

    records = _seen(stream)["records"]
    expect(records == 2, f"{records} record in the invocation, of 2 that were put")


@rule("`Ok` data is delivered, with nothing between the records", needs_function=True)
def ok_is_delivered(subject: Subject) -> None:
    stream = subject.stream(transform={})

    stream.put(b"ok:a", b"ok:b")

    data = stream.data(length=2)
    expect(sorted(data) == sorted(b"AB"), f"delivered {data!r}")


@rule("`Dropped` vanishes", needs_function=True)
def dropped_vanishes(subject: Subject) -> None:
    stream = subject.stream(transform={})

    stream.put(b"drop:this\n", b"ok:that\n")

    data = stream.data(length=5)
    expect(data == b"THAT\n", f"delivered {data!r}")


@rule("`ProcessingFailed` is not delivered as data", needs_function=True)
def failed_is_no_data(subject: Subject) -> None:
    stream = subject.stream(transform={})

    stream.put(b"fail:this\n", b"ok:that\n")

    data = stream.data(length=5)
    expect(data == b"THAT\n", f"delivered {data!r}")


@rule(
    "`ProcessingFailed` goes into an error object with the original `rawData`, `attemptsMade` 1 and "
    "`Lambda.ProcessingFailedStatus`",
    needs_function=True,
)
def failed_is_an_error(subject: Subject) -> None:
    stream = subject.stream(transform={})

    stream.put(b"fail:this\n", b"ok:that\n")

    _expect_errors(stream, [(b"fail:this\n", 1, "Lambda.ProcessingFailedStatus")])


@rule("A record id that the answer lacks goes into an error object: `Lambda.MissingRecordId`", needs_function=True)
def missing_is_an_error(subject: Subject) -> None:
    stream = subject.stream(transform={})

    stream.put(b"missing:this\n", b"ok:that\n")

    _expect_errors(stream, [(b"missing:this\n", 1, "Lambda.MissingRecordId")])
    data = stream.data(length=5)
    expect(data == b"THAT\n", f"delivered {data!r}")


@rule("A function that raises does not fail the call that puts the records", needs_function=True)
def raising_is_not_the_producers_concern(subject: Subject) -> None:
    stream = subject.stream(transform={"NumberOfRetries": "0"})

    failed = stream.put(b"raise:this\n")["FailedPutCount"]

    expect(failed == 0, f"FailedPutCount {failed}")


@rule(
    "A function that raises is asked again `NumberOfRetries` times; then the whole batch goes into an error object: "
    "`Lambda.FunctionError`",
    needs_function=True,
)
def raising_fails_the_batch(subject: Subject) -> None:
    stream = subject.stream(transform={"NumberOfRetries": "1"})

    stream.put(b"raise:this\n", b"ok:that\n")

    code = "Lambda.FunctionError"
    _expect_errors(stream, [(b"ok:that\n", 2, code), (b"raise:this\n", 2, code)])
    expect(stream.objects() == {}, f"delivered as data as well: {_joined(stream)!r}")


@rule("`!{firehose:error-output-type}` is evaluated in the `ErrorOutputPrefix`", needs_function=True)
def error_prefix_is_evaluated(subject: Subject) -> None:
    stream = subject.stream(transform={}, ErrorOutputPrefix="errors/!{firehose:error-output-type}/!{timestamp:yyyy}/")

    stream.put(b"fail:this\n")

    keys = list(stream.first("errors/"))
    expect(bool(keys), "no error object")
    expect(keys[0].startswith("errors/processing-failed/2"), f"named {keys[0]}")


def _seen(stream: Stream) -> dict[str, Any]:
    """Return what the record `event:` made the function tell."""
    data = b"".join(stream.first().values())
    expect(b"{" in data, "the function's answer is not delivered")
    seen: dict[str, Any] = json.loads(data[data.index(b"{") :].splitlines()[0])
    return seen


def _expect_errors(stream: Stream, expected: list[tuple[bytes, int, str]]) -> None:
    lines = stream.errors(len(expected))
    found = sorted((base64.b64decode(one["rawData"]), int(one["attemptsMade"]), one["errorCode"]) for one in lines)
    expect(bool(found), f"no error object; delivered as data: {_joined(stream)!r}")
    expect(found == expected, f"error lines {found}")


def _joined(stream: Stream) -> bytes:
    return b"".join(stream.objects().values())
