"""Counts of a rebuild: they add up, and a million rejects keep no more samples than a few."""

import json

from operator_cli.rebuilding.counts import Counts, Sample


def some_counts(reason="misfit", count=1, **numbers):
    counts = Counts(objects=1, **numbers)
    for number in range(count):
        counts.reject(Sample("s3://b/k", f"{number}", reason, "why"))
    return counts


def test_what_was_found_in_several_objects_adds_up():
    sums = some_counts(rows=3, heartbeats=1)

    sums.add(some_counts("undecodable", 2, rows=4, later=5, no_trace=6))

    assert (sums.objects, sums.rows, sums.rejected, sums.changes) == (2, 7, 3, 22)
    assert dict(sums.reasons) == {"misfit": 1, "undecodable": 2}


def test_a_reason_keeps_five_samples_however_many_there_are():
    sums = some_counts(count=1000)
    sums.add(some_counts("undecodable"))
    sums.add(some_counts(count=1000))

    assert sums.reasons["misfit"] == 2000
    assert [sample.reason for sample in sums.samples] == ["misfit"] * 5 + ["undecodable"]


def test_reasons_without_number_are_counted_as_others():
    sums = Counts()
    for number in range(500):
        sums.reject(Sample("s3://b/k", "-", f"reason {number}", "why"))

    assert (len(sums.reasons), sums.rejected) == (101, 500)
    assert sums.reasons["other reasons"] == 400


def test_counts_come_back_from_the_database_as_they_were():
    counts = some_counts(rows=1, damaged=1, unaccounted=2, bytes=9)

    assert Counts.from_json(json.loads(json.dumps(counts.as_json()))) == counts
