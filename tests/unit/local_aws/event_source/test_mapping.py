"""The mapping on a stream with several shards, which no emulator offers."""

import threading

import pytest
from botocore.exceptions import ClientError

from local_aws.event_source.counters import MappingCounters
from local_aws.event_source.mapping import StreamMapping
from local_aws.event_source.settings import MappingSettings
from local_aws.faults import Faults
from local_aws.functions import FunctionError, Invocation

ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2026-01-05T10:00:00.000"
PATIENCE_SECONDS = 20


class FakeStreams:
    """A stream in memory: shards with records, each (number, item), and a parent that may still be open."""

    def __init__(self, **shards):
        self.shards = shards
        self.failing_calls = 0

    def describe_stream(self, **_arguments):
        listed = []
        for name, shard in self.shards.items():
            numbers = {"EndingSequenceNumber": "9"} if shard["closed"] else {}
            listed.append({"ShardId": name, "SequenceNumberRange": numbers, **shard.get("listing", {})})
        return {"StreamDescription": {"Shards": listed}}

    def get_shard_iterator(self, **arguments):
        shard = self.shards[arguments["ShardId"]]["records"]
        places = {
            "TRIM_HORIZON": lambda: 0,
            "LATEST": lambda: len(shard),
            "AFTER_SEQUENCE_NUMBER": lambda: 1 + [n for n, _ in shard].index(arguments["SequenceNumber"]),
        }
        return {"ShardIterator": f"{arguments['ShardId']}@{places[arguments['ShardIteratorType']]()}"}

    def get_records(self, **arguments):
        if self.failing_calls:
            self.failing_calls -= 1
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "GetRecords")
        name, place = arguments["ShardIterator"].split("@")
        shard = self.shards[name]
        records = shard["records"][int(place) :]
        following = {} if shard["closed"] else {"NextShardIterator": f"{name}@{int(place) + len(records)}"}
        return {"Records": [self.record(*record) for record in records], **following}

    @staticmethod
    def record(number, item):
        return {
            "eventID": number,
            "eventName": "REMOVE",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "dynamodb": {"Keys": {"pk": {"S": item}}, "SequenceNumber": number},
        }


class FakeFunction:
    """Remember which records it was given; *answer* may fail a call or hold it up."""

    name = "reader"
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:reader:$LATEST"

    def __init__(self, answer=lambda _numbers: None):
        self.calls = []
        self.answer = answer
        self._changed = threading.Condition()

    def invoke(self, event):
        numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
        error = self.answer(numbers)
        with self._changed:
            self.calls.append(numbers)
            self._changed.notify_all()
        return Invocation("request", error=error)

    def wait_for(self, condition):
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.calls), PATIENCE_SECONDS), self.calls


@pytest.fixture
def a_mapping():
    started = []

    def start(streams, function, *, settings=None, **arguments):
        settings = MappingSettings(stream_arn=ARN, **(settings or {}))
        mapping = StreamMapping(
            settings, streams=streams, function=function, retry_delay_seconds=0.001, discovery_seconds=0.01, **arguments
        )
        mapping.start()
        started.append(mapping)
        return mapping

    yield start
    for mapping in started:
        mapping.stop()


def a_shard(*numbers, closed=True, parent=None, item="a"):
    listing = {"ParentShardId": parent} if parent else {}
    return {"records": [(number, item) for number in numbers], "closed": closed, "listing": listing}


def flat(calls):
    return [number for call in calls for number in call]


def test_a_parent_is_worked_through_before_its_child_also_when_it_fails_at_first(a_mapping):
    streams = FakeStreams(child=a_shard("11", "12", closed=False, parent="parent"), parent=a_shard("01", "02"))
    failures = iter([FunctionError("Unhandled", "ValueError", "boom")])
    function = FakeFunction(lambda _numbers: next(failures, None))

    mapping = a_mapping(streams, function)
    function.wait_for(lambda calls: len(flat(calls)) == 6)
    mapping.stop()

    assert function.calls == [["01", "02"], ["01", "02"], ["11", "12"]]
    assert mapping.counters == MappingCounters(
        records_read=4, records_succeeded=4, batches_succeeded=2, invocations=3, retries=1
    )


def test_a_shard_that_appears_later_is_found(a_mapping):
    streams = FakeStreams(first=a_shard("01", closed=False))
    function = FakeFunction()
    a_mapping(streams, function)
    function.wait_for(lambda calls: flat(calls) == ["01"])

    streams.shards = {**streams.shards, "second": a_shard("02")}

    function.wait_for(lambda calls: flat(calls) == ["01", "02"])


def test_latest_leaves_out_what_is_there_at_the_first_look_and_takes_later_shards_whole(a_mapping):
    streams = FakeStreams(old=a_shard("01"), current=a_shard("02", closed=False))
    function = FakeFunction()
    mapping = a_mapping(streams, function, settings={"starting_position": "LATEST"})
    while not mapping.idle:
        threading.Event().wait(0.001)

    streams.shards["current"]["records"].append(("03", "a"))
    streams.shards = {**streams.shards, "new": a_shard("04")}

    function.wait_for(lambda calls: sorted(flat(calls)) == ["03", "04"])


def test_with_parallelisation_items_do_not_wait_for_each_other_and_each_keeps_its_order(a_mapping):
    # "a" and "b" fall into different lanes.
    records = [("01", "a"), ("02", "b"), ("03", "a"), ("04", "b")]
    streams = FakeStreams(shard={"records": records, "closed": True})
    others_done = threading.Event()

    def answer(numbers):
        if numbers == ["01"]:
            assert others_done.wait(PATIENCE_SECONDS)
        if numbers == ["04"]:
            others_done.set()

    function = FakeFunction(answer)

    mapping = a_mapping(streams, function, settings={"parallelization_factor": 2, "batch_size": 1})
    function.wait_for(lambda calls: len(calls) == 4)
    mapping.stop()

    assert function.calls == [["02"], ["04"], ["01"], ["03"]]


def test_a_restart_goes_on_behind_what_is_done_and_repeats_what_was_done_out_of_order(a_mapping, tmp_path):
    records = [("01", "a"), ("02", "a"), ("03", "b"), ("04", "a"), ("05", "b")]
    streams = FakeStreams(shard={"records": records, "closed": False})
    broken = FunctionError("Unhandled", "ValueError", "boom")
    settings = {"parallelization_factor": 2, "batch_size": 1}
    first = FakeFunction(lambda numbers: broken if numbers == ["04"] else None)
    mapping = a_mapping(streams, first, settings=settings, checkpoint_path=tmp_path / "checkpoints.json")
    first.wait_for(lambda calls: ["05"] in calls and ["04"] in calls)
    mapping.stop()

    second = FakeFunction()
    mapping = a_mapping(streams, second, settings=settings, checkpoint_path=tmp_path / "checkpoints.json")
    second.wait_for(lambda calls: len(calls) == 2)
    mapping.stop()

    assert sorted(second.calls) == [["04"], ["05"]]


def test_a_finished_shard_is_not_read_again_after_a_restart(a_mapping, tmp_path):
    path = tmp_path / "checkpoints.json"
    streams = FakeStreams(shard=a_shard("01"), other=a_shard("02", closed=False))
    first = FakeFunction()
    mapping = a_mapping(streams, first, checkpoint_path=path)
    while not mapping.idle:
        threading.Event().wait(0.001)
    mapping.stop()
    streams.shards["other"]["records"].append(("03", "a"))

    second = FakeFunction()
    mapping = a_mapping(streams, second, checkpoint_path=path)
    second.wait_for(lambda calls: len(calls) == 1)
    mapping.stop()

    assert second.calls == [["03"]]


def test_a_stream_that_cannot_be_read_is_tried_again_from_the_same_place(a_mapping):
    streams = FakeStreams(shard=a_shard("01"))
    streams.failing_calls = 3
    function = FakeFunction()

    mapping = a_mapping(streams, function)
    function.wait_for(lambda calls: calls == [["01"]])

    assert mapping.counters.read_errors == 3


def test_a_duplicate_batch_fault_delivers_again_what_has_succeeded(a_mapping):
    function = FakeFunction()

    mapping = a_mapping(
        FakeStreams(shard=a_shard("01", "02")), function, faults=Faults(rates={"stream.duplicate_batch": 1})
    )
    function.wait_for(lambda calls: len(calls) == 2)
    mapping.stop()

    assert function.calls == [["01", "02"], ["01", "02"]]
    assert mapping.counters == MappingCounters(
        records_read=2, records_succeeded=2, batches_succeeded=1, batches_duplicated=1, invocations=2
    )


class RefusingDestination:
    def __init__(self, refusals):
        self.refusals = refusals
        self.accepted = []

    def accept(self, discarded):
        if self.refusals:
            self.refusals -= 1
            raise OSError
        self.accepted.append([record.sequence_number for record in discarded.batch.records])


def test_a_discarded_batch_is_kept_until_the_destination_accepts_it(a_mapping):
    broken = FunctionError("Unhandled", "ValueError", "boom")
    function = FakeFunction(lambda numbers: broken if "01" in numbers else None)
    destination = RefusingDestination(refusals=2)

    mapping = a_mapping(
        FakeStreams(shard=a_shard("01", "02")),
        function,
        settings={"batch_size": 1, "maximum_retry_attempts": 0},
        on_failure=destination,
    )
    function.wait_for(lambda calls: ["02"] in calls)
    mapping.stop()

    assert destination.accepted == [["01"]]
    assert mapping.counters == MappingCounters(
        records_read=2,
        records_succeeded=1,
        records_discarded=1,
        batches_succeeded=1,
        batches_discarded=1,
        invocations=2,
        retries=1,
        destination_errors=2,
    )


def test_a_function_that_raises_by_mistake_does_not_stop_the_mapping(a_mapping):
    mistakes = iter([RuntimeError("a bug in the caller")])

    def answer(_numbers):
        for mistake in mistakes:
            raise mistake

    function = FakeFunction(answer)

    mapping = a_mapping(FakeStreams(shard=a_shard("01")), function)
    function.wait_for(lambda calls: calls == [["01"]])

    assert mapping.counters.throttles == 1


def test_the_iterator_age_is_that_of_the_oldest_record_that_is_open(a_mapping):
    released = threading.Event()
    entered = threading.Event()

    def answer(_numbers):
        entered.set()
        assert released.wait(PATIENCE_SECONDS)

    mapping = a_mapping(FakeStreams(shard=a_shard("01")), FakeFunction(answer), clock=lambda: 1000.0)
    assert entered.wait(PATIENCE_SECONDS)

    # The record carries no time, which counts as the epoch.
    age_while_open = mapping.iterator_age_seconds
    released.set()
    mapping.stop()

    assert (age_while_open, mapping.iterator_age_seconds) == (1000.0, 0.0)
