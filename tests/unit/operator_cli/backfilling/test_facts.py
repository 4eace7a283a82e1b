"""What must be true of a table and of this machine's clock."""

import pytest
from builders import CHANGED_AT_MS, STREAM_EPOCH_MS, a_pipeline
from fake_dynamodb import FakeDynamoDb

from operator_cli.backfilling.errors import ClockError, NoStreamError
from operator_cli.backfilling.facts import TableFacts, facts_of
from operator_cli.verifying.source import KeyOfTableError

_DATE = "Tue, 06 Jan 2026 11:46:40 GMT"  # CHANGED_AT_MS


class Table(FakeDynamoDb):
    """A table whose description has what a backfill asks for, and a date as AWS gives it."""

    date: str | None = _DATE
    stream_is_on = True

    def describe_table(self, **arguments):
        answer = super().describe_table(**arguments)
        answer["Table"] |= {"TableSizeBytes": 123, "TableArn": "arn", "ItemCount": 7}
        if self.stream_is_on:
            answer["Table"]["StreamSpecification"] = {"StreamEnabled": True}
        headers = {} if self.date is None else {"date": self.date}
        return {**answer, "ResponseMetadata": {"HTTPHeaders": headers}}


def facts(table, *, now_ms=CHANGED_AT_MS):
    return facts_of(table, a_pipeline(), now_ms=lambda: now_ms)


def some_facts(**parts):
    return TableFacts(**{"arn": "arn", "key": {"id": "S"}, "items": 0, "size_bytes": 0, "stream_arn": None, **parts})


def test_a_table_tells_its_key_its_size_and_its_stream():
    found = facts(Table())

    assert (found.key, found.items, found.size_bytes, found.arn) == ({"id": "S"}, 7, 123, "arn")
    assert found.stream_began_ms(table="things") == STREAM_EPOCH_MS


def test_a_stream_that_was_switched_off_is_none_although_its_arn_is_still_told():
    table = Table()
    table.stream_is_on = False

    with pytest.raises(NoStreamError, match="table things has no stream"):
        facts(table).stream_began_ms(table="things")


def test_another_key_than_the_pipeline_s_is_refused():
    with pytest.raises(KeyOfTableError):
        facts(Table(key={"other": "S"}))


@pytest.mark.parametrize("ahead_ms", [-10_000_000, 0, 31_000])
def test_a_clock_that_is_right_or_behind_will_do(ahead_ms):
    assert facts(Table(), now_ms=CHANGED_AT_MS + ahead_ms).items == 7


def test_a_clock_that_is_ahead_of_aws_is_refused():
    with pytest.raises(ClockError, match="is 60 s ahead of AWS"):
        facts(Table(), now_ms=CHANGED_AT_MS + 61_000)


@pytest.mark.parametrize("date", [None, "soon"])
def test_without_a_date_the_clock_is_trusted(date):
    table = Table()
    table.date = date

    assert facts(table, now_ms=CHANGED_AT_MS + 10**9).items == 7


@pytest.mark.parametrize(
    ("size_bytes", "segments"), [(0, 4), (4 * 2**30, 4), (4 * 2**30 + 1, 5), (100 * 2**30, 100), (10**16, 10_000)]
)
def test_the_size_of_the_table_decides_the_number_of_segments(size_bytes, segments):
    assert some_facts(size_bytes=size_bytes).segments(threads=4) == segments
