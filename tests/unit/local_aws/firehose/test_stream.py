import gzip
import json
from threading import Thread

import pytest

from local_aws.faults import Faults
from local_aws.firehose.configuration import configuration_of
from local_aws.firehose.errors import ServiceUnavailableError
from local_aws.firehose.journal import StreamJournal
from local_aws.firehose.kinds import Kind
from local_aws.firehose.statistics import Statistics

DATA_KEY = "data/2026/03/04/12/changes-1-2026-03-04-12-30-45-uuid-1"


def lines_of(world):
    """Return the lines of the error objects, parsed."""
    errors = [body for key, body in world.s3.objects.items() if key.startswith("errors/")]
    return [json.loads(line) for body in errors for line in body.splitlines()]


def codes_of(world):
    return [(line["errorCode"], line["attemptsMade"]) for line in lines_of(world)]


def bodies_under(world, prefix):
    return [body for key, body in world.s3.objects.items() if key.startswith(prefix)]


def test_records_are_concatenated_without_a_separator_under_the_name_of_the_oldest(world):
    # AWS: Firehose puts nothing between records; the name has the arrival time of the oldest record
    stream = world.stream()
    stream.put([b"one"])
    world.clock.advance(5)
    stream.put([b"two\n", b""])

    world.settle(stream)

    assert world.s3.objects == {DATA_KEY: b"onetwo\n"}
    assert (world.s3.buckets, stream.waiting) == (["lake"], 0)


def test_nothing_is_delivered_before_it_is_due(world):
    # AWS: BufferingHints, whichever is reached first
    stream = world.stream(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 60})
    stream.put([b"one"])

    world.clock.advance(59)
    early = stream.deliver_due(Kind.DATA)
    world.clock.advance(1)
    late = stream.deliver_due(Kind.DATA)

    assert (early, late) == (False, True)


def test_a_full_buffer_is_delivered_before_its_interval(world):
    # AWS: BufferingHints, whichever is reached first
    stream = world.stream(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 900}, most_waiting_bytes=5_000_000)
    stream.put([b"x" * 524_288] * 3)

    delivered = [stream.deliver_due(Kind.DATA), stream.deliver_due(Kind.DATA)]

    assert (delivered, stream.waiting) == ([True, False], 1)


def test_a_delimiter_is_put_between_records_and_not_after_the_last(world):
    # AWS: the AppendDelimiterToRecord processor emits a newline between records
    stream = world.stream(
        ProcessingConfiguration={"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord"}]}
    )
    stream.put([b"one", b"two"])

    world.settle(stream)

    assert list(world.s3.objects.values()) == [b"one\ntwo"]


def test_gzip_objects_and_file_extensions_are_named_as_configured(world):
    # AWS: FileExtension overrides the extension of the compression
    plain = world.stream(CompressionFormat="GZIP")
    named = world.stream(CompressionFormat="GZIP", FileExtension=".csv")
    for stream in (plain, named):
        stream.put([b"one"])
        world.settle(stream)

    assert [key.rpartition("-")[2] for key in world.s3.objects] == ["1.gz", "2.csv"]
    assert [gzip.decompress(body) for body in world.s3.objects.values()] == [b"one", b"one"]


def test_a_custom_time_zone_moves_prefix_and_name(world):
    # AWS: the timestamp is UTC unless CustomTimeZone
    stream = world.stream(CustomTimeZone="Asia/Tokyo")
    stream.put([b"one"])

    world.settle(stream)

    assert list(world.s3.objects) == ["data/2026/03/04/21/changes-1-2026-03-04-21-30-45-uuid-1"]


def test_the_function_sees_records_in_firehoses_shape_and_its_data_is_delivered(world, make):
    # AWS: Data transformation, request and response
    world.function.behaviour = lambda event: make.answer(
        [{"recordId": event["records"][0]["recordId"], "result": "Ok", "data": "T05F"}]
    )
    stream = world.stream(ProcessingConfiguration=make.processing())
    stream.put([b"one"])

    world.settle(stream)

    (event,) = world.function.events
    record_id = event["records"][0]["recordId"]
    assert event == {
        "invocationId": "uuid-1",
        "deliveryStreamArn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/changes",
        "region": "us-east-1",
        "records": [{"recordId": record_id, "approximateArrivalTimestamp": make.noon_ms, "data": "b25l"}],
    }
    assert list(world.s3.objects.values()) == [b"ONE"]


def test_records_are_gathered_for_the_function_by_size_and_interval(world, make):
    # AWS: BufferSizeInMBs 0.2 to 3, BufferIntervalInSeconds 0 to 900
    stream = world.stream(ProcessingConfiguration=make.processing(BufferSizeInMBs="0.2", BufferIntervalInSeconds="900"))
    stream.put([b"x" * 110_000] * 3)

    taken = [stream.transform_due(), stream.transform_due()]

    assert (taken, [len(event["records"]) for event in world.function.events]) == ([True, False], [2])


def test_a_request_of_many_small_records_stays_below_6_mb(world, make):
    # AWS: Lambda quotas, synchronous payload of 6 MB
    stream = world.stream(ProcessingConfiguration=make.processing(BufferSizeInMBs="3"))
    for _ in range(80):
        stream.put([b"x"] * 500)

    while stream.transform_due():
        pass

    assert [len(json.dumps(event)) < 6 * 1024 * 1024 for event in world.function.events] == [True]
    assert 30_000 < len(world.function.events[0]["records"]) < 40_000


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("Unhandled", "Lambda.FunctionError"),
        ("TimedOut", "Lambda.FunctionTimedOut"),
        ("Throttled", "Lambda.InvokeLimitExceeded"),
        ("NotFound", "Lambda.ResourceNotFound"),
    ],
)
def test_a_failing_invocation_is_retried_three_times_and_then_the_batch_fails(world, make, kind, code):
    # AWS: NumberOfRetries 3 by default, so attemptsMade is 4
    world.function.behaviour = make.failing(kind)
    stream = world.stream(ProcessingConfiguration=make.processing())
    stream.put([b"one", b"two"])

    world.settle(stream)

    assert (codes_of(world), world.pauses, stream.waiting) == ([(code, 4), (code, 4)], [0.1, 0.2, 0.4], 0)


def test_a_retry_has_another_invocation_id_and_the_same_record_ids(world, make):
    # AWS: retries of one buffer have a new invocationId but the same recordIds
    world.function.script = [make.failing("Unhandled")]
    stream = world.stream(ProcessingConfiguration=make.processing())
    stream.put([b"one"])

    world.settle(stream)

    first, second = world.function.events
    assert (first["invocationId"], second["invocationId"]) == ("uuid-1", "uuid-2")
    assert first["records"] == second["records"]
    assert bodies_under(world, "data/") == [b"one"]


def test_number_of_retries_zero_means_one_attempt(world, make):
    # AWS: NumberOfRetries may be 0
    world.function.behaviour = make.failing("Unhandled")
    stream = world.stream(ProcessingConfiguration=make.processing(NumberOfRetries="0"))
    stream.put([b"one"])

    world.settle(stream)

    assert codes_of(world) == [("Lambda.FunctionError", 1)]


def test_a_malformed_answer_is_not_retried(world, make):
    # AWS: malformed but successful answers are not retried
    world.function.behaviour = lambda _event: make.answer("nonsense")
    stream = world.stream(ProcessingConfiguration=make.processing())
    stream.put([b"one"])

    world.settle(stream)

    assert codes_of(world) == [("Lambda.JsonProcessingException", 1)]


def test_an_answer_above_6_mb_is_retried_as_an_error_of_the_function(world, make):
    # AWS: Data transformation, response limit of 6 MB
    world.function.script = [
        lambda event: make.answer(
            [{"recordId": event["records"][0]["recordId"], "result": "Ok", "data": "A" * 6_300_000}]
        )
    ]
    stream = world.stream(ProcessingConfiguration=make.processing())
    stream.put([b"one"])

    world.settle(stream)

    assert (len(world.function.events), bodies_under(world, "data/")) == (2, [b"one"])


def test_a_function_that_takes_more_than_five_minutes_has_timed_out(world, make):
    # AWS: Firehose allows a function five minutes, whatever its own time-out
    def slow(event):
        world.clock.advance(300.5)
        return make.echo(event)

    world.function.behaviour = slow
    stream = world.stream(ProcessingConfiguration=make.processing(NumberOfRetries="1"))
    stream.put([b"one"])

    world.settle(stream)

    assert codes_of(world) == [("Lambda.FunctionTimedOut", 2)]


@pytest.mark.parametrize(
    ("error", "code"),
    [(LookupError("no such function"), "Lambda.ResourceNotFound"), (OSError("no image"), "Lambda.InvocationFailure")],
)
def test_a_function_that_is_not_there_or_cannot_start_is_retried(world, make, error, code):
    # AWS: Handle failure in data transformation
    def fail(_event):
        raise error

    world.function.behaviour = fail
    stream = world.stream(ProcessingConfiguration=make.processing())
    stream.put([b"one"])

    world.settle(stream)

    assert codes_of(world) == [(code, 4)]


def test_an_error_object_holds_the_source_record_even_if_the_function_returned_other_data(world, make):
    # AWS: rawData is the original input to the transform
    world.function.behaviour = lambda event: make.answer(
        [{"recordId": r["recordId"], "result": "ProcessingFailed", "data": "b3RoZXI="} for r in event["records"]]
    )
    stream = world.stream(ProcessingConfiguration=make.processing())
    stream.put([b"one"])

    world.settle(stream)

    (key,) = world.s3.objects
    assert key == "errors/processing-failed/2026/03/04/12/changes-1-2026-03-04-12-30-45-uuid-2"
    assert lines_of(world) == [
        {
            "attemptsMade": 1,
            "arrivalTimestamp": make.noon_ms,
            "errorCode": "Lambda.ProcessingFailedStatus",
            "errorMessage": "The function gave up on this record.",
            "attemptEndingTimestamp": make.noon_ms + 1_000_000,
            "rawData": "b25l",
            "lambdaArn": make.lambda_arn,
        }
    ]


def test_a_dropped_record_leaves_no_trace_but_its_backup(world, make):
    # AWS: Dropped records vanish except from the S3 backup
    world.function.behaviour = lambda event: make.answer(
        [{"recordId": r["recordId"], "result": "Dropped"} for r in event["records"]]
    )
    stream = world.stream(ProcessingConfiguration=make.processing(), **make.backup())
    stream.put([b"one"])

    world.settle(stream)

    assert list(world.s3.objects.values()) == [b"one"]
    assert [key.split("/")[0] for key in world.s3.objects] == ["backup"]
    assert stream.waiting == 0


def test_the_backup_has_every_source_record_untransformed_and_compressed(world, make):
    # AWS: S3 backup of untransformed source records, raw bytes without a delimiter
    results = iter(["Ok", "Dropped", "ProcessingFailed"])
    world.function.behaviour = lambda event: make.answer(
        [{"recordId": r["recordId"], "result": next(results), "data": "T0s="} for r in event["records"]]
    )
    stream = world.stream(ProcessingConfiguration=make.processing(), **make.backup(CompressionFormat="GZIP"))
    stream.put([b"one", b"two", b"three"])

    world.settle(stream)

    ((key, body),) = [(key, body) for key, body in world.s3.objects.items() if key.startswith("backup/")]
    assert key.startswith("backup/2026/03/04/12/changes-1-2026-03-04-12-30-45-")
    assert (key.endswith(".gz"), gzip.decompress(body)) == (True, b"onetwothree")


def test_the_time_zone_and_the_file_extension_do_not_touch_the_backup(world, make):
    # AWS: an S3DestinationConfiguration has neither CustomTimeZone nor FileExtension
    stream = world.stream(CustomTimeZone="Asia/Tokyo", FileExtension=".csv", **make.backup())
    stream.put([b"one"])

    world.settle(stream)

    assert list(world.s3.objects) == [
        "data/2026/03/04/21/changes-1-2026-03-04-21-30-45-uuid-1.csv",
        "backup/2026/03/04/12/changes-1-2026-03-04-12-30-45-uuid-2",
    ]


def test_a_flush_waits_for_all_batches_before_it_makes_an_object_of_them(world, make):
    early = []

    def deliver_early(event):
        early.append(stream.deliver_due(Kind.DATA))
        return make.echo(event)

    world.function.behaviour = deliver_early
    stream = world.stream(ProcessingConfiguration=make.processing(BufferSizeInMBs="0.2"))
    stream.put([b"x" * 150_000] * 3)
    stream.transform_due()
    flush = Thread(target=stream.flush)
    flush.start()

    while not stream.transform_due():
        pass  # the third record is not due until the flush has begun
    late = stream.deliver_due(Kind.DATA)
    flush.join()

    assert (early, late) == ([False, False], True)
    assert [len(body) for body in world.s3.objects.values()] == [450_000]


def test_a_record_waits_until_its_backup_is_written_too(world, make):
    stream = world.stream(
        BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 0},
        **make.backup(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 60}),
    )
    stream.put([b"one"])

    stream.deliver_due(Kind.DATA)
    between = stream.waiting
    world.settle(stream)

    assert (between, stream.waiting) == (1, 0)


def test_an_object_that_s3_refuses_is_tried_again_later_under_a_new_name(world):
    # AWS: S3 unreachable is retried for 24 hours
    world.s3.refusals = 2
    stream = world.stream(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 0})
    stream.put([b"one"])

    steps = []
    for seconds in (0, 0.4, 0.1, 0.9, 0.1):
        world.clock.advance(seconds)
        steps.append(stream.deliver_due(Kind.DATA))

    assert steps == [True, False, True, False, True]
    assert (list(world.s3.objects.values()), stream.statistics.store_failures) == ([b"one"], 2)


def test_what_s3_refuses_for_24_hours_is_lost_and_counted(world):
    # AWS: data is kept for 24 hours if the destination is down
    world.s3.refusals = 10
    stream = world.stream(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 0})
    stream.put([b"one", b"two"])
    stream.deliver_due(Kind.DATA)

    world.clock.advance(24 * 3600)
    stream.deliver_due(Kind.DATA)
    still = stream.waiting
    world.clock.advance(31)
    stream.deliver_due(Kind.DATA)

    assert (still, stream.waiting, stream.statistics.lost) == (2, 0, 2)


def test_a_caller_is_told_to_slow_down_when_too_much_waits(world):
    stream = world.stream(most_waiting_bytes=10)
    stream.put([b"x" * 8])

    with pytest.raises(ServiceUnavailableError):
        stream.put([b"x" * 3])

    assert stream.put([b"x" * 2]) == [True]
    world.settle(stream)
    assert stream.put([b"x" * 10]) == [True]


def test_an_update_changes_the_version_in_object_names_and_the_hints_of_what_waits(world, make):
    # AWS: the configuration version increases with every change
    stream = world.stream(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 900})
    stream.put([b"one"])
    hasty = make.settings(Prefix="new/", BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 0})

    stream.configure(configuration_of(hasty), version=2)
    stream.deliver_due(Kind.DATA)

    assert list(world.s3.objects) == ["new/2026/03/04/12/changes-2-2026-03-04-12-30-45-uuid-1"]


def test_records_that_waited_for_a_function_are_delivered_when_an_update_takes_it_away(world, make):
    stream = world.stream(ProcessingConfiguration=make.processing())
    stream.put([b"one"])

    stream.configure(configuration_of(make.settings()), version=2)
    world.settle(stream)

    assert (list(world.s3.objects.values()), world.function.events) == ([b"one"], [])


def test_refused_records_are_not_delivered_and_the_others_are(make):
    # AWS: any records of a call may be refused, not a prefix of it
    world = make.world(Faults(seed=3, rates={"firehose.refuse_record": 0.5}))
    stream = world.stream()
    datas = [f"{number}\n".encode() for number in range(20)]

    accepted = stream.put(datas)
    world.settle(stream)

    assert 0 < accepted.count(False) < 20
    assert list(world.s3.objects.values()) == [b"".join(d for d, ok in zip(datas, accepted, strict=True) if ok)]
    assert stream.statistics.refused == accepted.count(False)


def test_a_duplicated_object_has_another_name_and_the_same_records(make):
    # AWS: at least once; a retry can create a second object with the same records
    world = make.world(Faults(rates={"firehose.duplicate_object": 1}))
    stream = world.stream()
    stream.put([b"one"])

    world.settle(stream)

    assert [key[-6:] for key in world.s3.objects] == ["uuid-1", "uuid-2"]
    assert list(world.s3.objects.values()) == [b"one", b"one"]


def test_reordered_records_are_all_there(make):
    # AWS: no ordering promise between records
    world = make.world(Faults(seed=1, rates={"firehose.reorder_records": 1}))
    stream = world.stream()
    stream.put([b"%d" % number for number in range(10)])

    world.settle(stream)

    (body,) = world.s3.objects.values()
    assert (body != b"0123456789", bytes(sorted(body))) == (True, b"0123456789")


def test_a_delayed_object_is_overtaken_by_the_next(make):
    # AWS: no ordering promise between objects
    world = make.world(Faults(seed=2, rates={"firehose.delay_delivery": 0.5}))
    stream = world.stream(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 0})
    for number in range(6):
        stream.put([b"%d" % number])
        stream.deliver_due(Kind.DATA)

    world.settle(stream, after=3)

    delivered = list(world.s3.objects.values())
    assert delivered != sorted(delivered)
    assert sorted(delivered) == [b"0", b"1", b"2", b"3", b"4", b"5"]


def test_undelivered_records_of_an_earlier_process_are_delivered(world, tmp_path):
    first = world.stream(journal=StreamJournal(tmp_path, "changes"))
    first.put([b"one", b"two"])
    first.close()

    second = world.stream(journal=StreamJournal(tmp_path, "changes"))
    waiting = second.waiting
    world.settle(second)

    assert (waiting, list(world.s3.objects.values()), list(tmp_path.iterdir())) == (2, [b"onetwo"], [])


def test_a_journal_that_cannot_be_written_refuses_the_call(world, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    stream = world.stream(journal=StreamJournal(folder, "changes"))
    folder.rmdir()

    with pytest.raises(ServiceUnavailableError):
        stream.put([b"one"])

    assert stream.waiting == 0


def test_a_stopped_stream_accepts_nothing_and_ends_its_retries(world, make):
    def stop_and_fail(event):
        stream.stop()
        return make.failing("Unhandled")(event)

    world.function.behaviour = stop_and_fail
    stream = world.stream(ProcessingConfiguration=make.processing())
    stream.put([b"one"])

    world.settle(stream)

    assert (len(world.function.events), stream.waiting, world.s3.objects) == (1, 1, {})
    with pytest.raises(ServiceUnavailableError):
        stream.put([b"two"])


def test_everything_that_happens_is_counted(world, make):
    results = iter(["Ok", "Dropped", "ProcessingFailed"])
    world.function.behaviour = lambda event: make.answer(
        [{"recordId": r["recordId"], "result": next(results), "data": "T0s="} for r in event["records"]]
    )
    world.function.script = [make.failing("Throttled")]
    world.s3.refusals = 1
    stream = world.stream(ProcessingConfiguration=make.processing(), **make.backup())
    stream.put([b"one", b"two", b"three"])

    world.settle(stream)
    world.settle(stream)

    error_bytes = len(bodies_under(world, "errors/")[0])
    assert stream.statistics == Statistics(
        records_in=3,
        bytes_in=11,
        lines_in=3,
        billed_bytes=3 * 5120,
        billed_bytes_one_by_one=3 * 5120,
        billed_bytes_packed=5120,
        invocations=2,
        transformed=1,
        failed=1,
        dropped=1,
        lines_out=1,
        lines_failed=1,
        lines_taken_out=1,
        data_objects=1,
        data_bytes=2,
        error_objects=1,
        error_bytes=error_bytes,
        backup_objects=1,
        backup_bytes=11,
        store_failures=1,
    )
