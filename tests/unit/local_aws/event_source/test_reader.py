import pytest
from botocore.exceptions import ClientError

from local_aws.event_source.reader import ShardReader
from local_aws.event_source.settings import LATEST, TRIM_HORIZON

ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2026-01-05T10:00:00.000"


class ScriptedStreams:
    """Give out iterators named after their place, and answer each GetRecords with the next of a script."""

    def __init__(self, *script):
        self.script = list(script)
        self.calls = []

    def get_shard_iterator(self, **arguments):
        number = arguments.get("SequenceNumber")
        return {
            "ShardIterator": f"{arguments['ShardIteratorType']} {number}" if number else arguments["ShardIteratorType"]
        }

    def get_records(self, **arguments):
        self.calls.append(arguments)
        answer = self.script.pop(0)
        if isinstance(answer, str):
            raise ClientError({"Error": {"Code": answer, "Message": ""}}, "GetRecords")
        return answer

    @property
    def iterators(self):
        return [call["ShardIterator"] for call in self.calls]


def a_page(*numbers, following="next"):
    records = [
        {
            "eventID": number,
            "eventName": "REMOVE",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "dynamodb": {"Keys": {"pk": {"S": "a"}}, "SequenceNumber": number},
        }
        for number in numbers
    ]
    return {"Records": records, **({"NextShardIterator": following} if following else {})}


def a_reader(streams, *, start=TRIM_HORIZON, after=None):
    return ShardReader(streams=streams, stream_arn=ARN, shard_id="shard", start=start, after=after)


def read(reader, times):
    return [([r.sequence_number for r in page.records], page.last) for page in (reader.read() for _ in range(times))]


def test_a_shard_is_read_page_by_page_until_there_is_no_next_iterator():
    streams = ScriptedStreams(a_page("01", "02"), a_page(), a_page("03", following=None))

    assert read(a_reader(streams), 3) == [(["01", "02"], False), ([], False), (["03"], True)]
    assert streams.calls == [{"ShardIterator": place, "Limit": 1000} for place in ("TRIM_HORIZON", "next", "next")]


@pytest.mark.parametrize(
    ("start", "after", "iterator"),
    [(TRIM_HORIZON, None, "TRIM_HORIZON"), (LATEST, None, "LATEST"), (LATEST, "017", "AFTER_SEQUENCE_NUMBER 017")],
)
def test_a_checkpoint_goes_before_the_starting_position(start, after, iterator):
    streams = ScriptedStreams(a_page())

    a_reader(streams, start=start, after=after).read()

    assert streams.iterators == [iterator]


def test_an_expired_iterator_is_renewed_behind_the_last_record_read():
    streams = ScriptedStreams(a_page("01"), "ExpiredIteratorException", a_page("02"))

    assert read(a_reader(streams), 3) == [(["01"], False), ([], False), (["02"], False)]
    assert streams.iterators == ["TRIM_HORIZON", "next", "AFTER_SEQUENCE_NUMBER 01"]


def test_what_was_trimmed_is_skipped_to_the_oldest_record_that_is_kept():
    streams = ScriptedStreams("TrimmedDataAccessException", a_page("09"))

    assert read(a_reader(streams, after="01"), 2) == [([], False), (["09"], False)]
    assert streams.iterators == ["AFTER_SEQUENCE_NUMBER 01", "TRIM_HORIZON"]


def test_an_error_before_the_first_record_does_not_move_latest():
    streams = ScriptedStreams(a_page(following="the place"), "InternalServerError", a_page("01"))
    reader = a_reader(streams, start=LATEST)
    reader.read()

    with pytest.raises(ClientError):
        reader.read()

    assert read(reader, 1) == [(["01"], False)]
    assert streams.iterators == ["LATEST", "the place", "the place"]
