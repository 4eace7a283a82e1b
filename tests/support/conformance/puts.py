"""What a delivery stream accepts, refuses and answers."""

from conformance.rule import expect, expect_refusal, rule
from conformance.subject import Subject

INVALID = "InvalidArgumentException"


@rule("A call of more than 500 records is refused with `InvalidArgumentException`")
def more_than_500_records(subject: Subject) -> None:
    stream = subject.stream()

    expect_refusal(INVALID, lambda: stream.put(*[b"x"] * 501))


@rule("A call of more than 4 MiB is refused with `InvalidArgumentException`")
def more_than_4_mib(subject: Subject) -> None:
    stream = subject.stream()

    expect_refusal(INVALID, lambda: stream.put(*[b"x" * 1_000_000] * 5))


@rule("A record of more than 1,000 KiB is refused with `InvalidArgumentException`")
def more_than_1000_kib(subject: Subject) -> None:
    stream = subject.stream()

    expect_refusal(INVALID, lambda: stream.put(b"x" * 1_024_001))


@rule("A call of 500 records and one of 4 MiB are accepted")
def exactly_the_limits(subject: Subject) -> None:
    stream = subject.stream()

    for datas in ([b"x"] * 500, [b"x" * 838_860] * 4 + [b"x" * 838_864]):
        failed = stream.put(*datas)["FailedPutCount"]
        expect(failed == 0, f"{failed} of {len(datas)} records refused")


@rule("A stream that is not there is `ResourceNotFoundException`")
def unknown_stream(subject: Subject) -> None:
    name = "no-such-stream"

    for call in (
        lambda: subject.firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": b"x"}]),
        lambda: subject.firehose.describe_delivery_stream(DeliveryStreamName=name),
    ):
        expect_refusal("ResourceNotFoundException", call)


@rule("A batch is answered with one entry for each record, each with an id of its own")
def one_entry_a_record(subject: Subject) -> None:
    stream = subject.stream()

    answer = stream.put(*[b"x"] * 20)

    entries = answer["RequestResponses"]
    ids = {entry.get("RecordId") for entry in entries} - {None}
    expect(answer["FailedPutCount"] == 0, f"FailedPutCount {answer['FailedPutCount']}")
    expect((len(entries), len(ids)) == (20, 20), f"{len(entries)} entries with {len(ids)} ids for 20 records")


@rule("An `ErrorOutputPrefix` with expressions but without `!{firehose:error-output-type}` is refused")
def error_prefix_without_type(subject: Subject) -> None:
    expect_refusal(INVALID, lambda: subject.stream(ErrorOutputPrefix="errors/!{timestamp:yyyy}/"))


@rule("A `Prefix` with expressions is refused when there is no `ErrorOutputPrefix`")
def prefix_without_error_prefix(subject: Subject) -> None:
    expect_refusal(INVALID, lambda: subject.stream(Prefix="data/!{timestamp:yyyy}/", ErrorOutputPrefix=None))
