"""A table, a part of it or an export is read by several threads, as far as it is wanted and no further."""

import itertools
import threading

import pytest
from fake_dynamodb import FakeDynamoDb, throttled

from operator_cli.aws import AwsCallError
from operator_cli.planning.reading import Readers, Sample, limited, scan_parts, thinned
from operator_cli.scanning.budget import ReadBudget
from operator_cli.scanning.table import TableScan

_ITEMS = [{"id": f"item-{number}"} for number in range(400)]


def read(table, sample, *, segments=4, threads=3):
    scan = TableScan(table, "things", budget=ReadBudget(None))
    parts = scan_parts(scan, sample, segments=segments, about_items=len(table.items))
    with Readers(parts, threads=threads) as readers:
        batches = list(limited(readers.batches(), sample.items))
    return [item["id"]["S"] for batch in batches for item in batch]


def scans(table):
    return [call for name, call in table.calls if name == "scan"]


@pytest.mark.parametrize("threads", [1, 8])
def test_a_whole_table_is_read_once(threads):
    found = read(FakeDynamoDb(*_ITEMS, page_items=7), Sample(), threads=threads)

    assert sorted(found) == sorted(item["id"] for item in _ITEMS)


def test_reads_need_not_be_consistent():
    table = FakeDynamoDb(*_ITEMS)

    read(table, Sample())

    assert {call["ConsistentRead"] for call in scans(table)} == {False}


def test_a_sample_of_items_has_so_many_distinct_ones_from_many_segments():
    table = FakeDynamoDb(*_ITEMS, page_items=1000)

    found = read(table, Sample(items=50), segments=1)

    assert (len(found), len(set(found))) == (50, 50)
    assert {call["TotalSegments"] for call in scans(table)} == {8}


def test_a_sample_larger_than_the_table_is_the_table():
    found = read(FakeDynamoDb(*_ITEMS, page_items=1000), Sample(items=5000))

    assert sorted(found) == sorted(item["id"] for item in _ITEMS)


def test_a_share_reads_that_share_of_the_segments_and_no_other():
    table = FakeDynamoDb(*_ITEMS, page_items=1000)

    found = read(table, Sample(share=0.1))

    assert len({call["Segment"] for call in scans(table)}) == len(scans(table)) == 20
    assert {call["TotalSegments"] for call in scans(table)} == {200}
    assert 15 < len(found) < 90


def test_an_error_of_a_thread_is_raised_where_the_items_are_wanted():
    table = FakeDynamoDb(*_ITEMS)

    def fail(name):
        raise throttled(name)

    table.fails = fail
    with pytest.raises(AwsCallError, match="on table things failed with ProvisionedThroughputExceeded"):
        read(table, Sample())


def test_nobody_reads_on_when_no_more_is_wanted():
    begun = threading.Semaphore(0)

    def endless():
        for number in itertools.count():
            begun.release()
            yield ({"id": {"N": str(number)}},)

    with Readers([endless, endless], threads=2) as readers:
        first = list(limited(readers.batches(), 3))

    threads = [thread for thread in threading.enumerate() if thread.name.startswith("reader-")]
    for thread in threads:
        thread.join(timeout=5)
    assert len(first) == 3
    assert not any(thread.is_alive() for thread in threads)


def test_a_share_of_an_export_leaves_items_out_evenly():
    batches = [
        tuple({"id": {"N": str(number)}} for number in range(start, start + 100)) for start in range(0, 5000, 100)
    ]

    kept = [int(item["id"]["N"]) for batch in thinned(iter(batches), 0.1) for item in batch]

    assert 400 < len(kept) < 600
    assert 2000 < sum(kept) / len(kept) < 3000
