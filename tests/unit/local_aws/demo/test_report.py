from collections import Counter

import pytest

from local_aws.demo.counts import Bill, Loaded, StageCounts
from local_aws.demo.proof import Proof
from local_aws.demo.report import bill_line, verdict


def counts(
    *,
    changes: int = 10,
    accepted: int = 10,
    records: int = 10,
    rows: int = 8,
    failed: int = 2,
    kept: int = 0,
    rejected: int = 0,
) -> StageCounts:
    return StageCounts(
        changes=changes,
        stream_retries=0,
        records=records,
        accepted=accepted,
        refused=0,
        transformed=rows,
        failed=failed,
        kept=kept,
        objects=1,
        loads_failed=0,
        loaded=Loaded(objects=1, rows=rows, applied=rows - rejected, rejected=rejected),
        bill=Bill(as_put=51_200, one_by_one=51_200, packed=10_240),
    )


def test_a_clean_run_is_told_in_few_lines():
    proof = Proof(
        items=10, equal_rows=8, rejected_items=2, failed_records=2, reasons=Counter({"misfit": 1, "bad_number": 1})
    )

    assert list(verdict(proof, counts())) == [
        "8 of 10 items have a row with equal values",
        "2 broken items have none and lie under failed/",
        "reasons under failed/: 1 bad_number, 1 misfit",
        "accounting: 10 changes in = 8 loaded + 2 rejected",
    ]


def test_everything_that_speaks_against_a_run_is_told():
    proof = Proof(
        items=10,
        equal_rows=7,
        rejected_items=2,
        rejected_with_row=1,
        failed_but_fit=1,
        problems=[f"problem {number}" for number in range(12)],
    )

    assert list(verdict(proof, counts(changes=11, rows=7))) == [
        "7 of 10 items have a row with equal values",
        "1 broken items have none and lie under failed/",
        "1 broken items have a row",
        "1 changes lie under failed/ although the pipeline takes them",
        "accounting: 10 changes in ≠ 7 loaded + 2 rejected",
        "2 changes failed on the way, and 0 lie under failed/",
        "11 changes were read off the stream, and 10 reached Firehose",
        *(f"problem {number}" for number in range(10)),
        "… and 2 more",
    ]


def test_a_change_that_reached_firehose_twice_is_not_lost():
    assert counts(changes=9, accepted=10).nothing_lost


def test_changes_kept_alone_count_as_rejected_as_those_that_failed_with_their_record():
    packed = counts(records=1, rows=7, failed=1, kept=2)

    assert packed.accounted
    assert list(verdict(Proof(failed_records=3), packed))[-1] == "accounting: 10 changes in = 7 loaded + 3 rejected"


@pytest.mark.parametrize(("records", "other"), [(10, "0.01 MB with packing"), (1, "0.05 MB without packing")])
def test_the_bill_is_told_beside_what_it_would_be_the_other_way(records, other):
    assert bill_line(counts(records=records)) == f"Firehose bills 0.05 MB, records rounded up to 5 KB ({other})"


def test_rows_that_the_database_refused_count_as_rejected():
    assert (
        list(verdict(Proof(failed_records=2), counts(rows=8, rejected=3)))[-1]
        == "accounting: 10 changes in = 5 loaded + 5 rejected"
    )
