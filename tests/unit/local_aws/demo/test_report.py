from collections import Counter

from local_aws.demo.counts import Loaded, StageCounts
from local_aws.demo.proof import Proof
from local_aws.demo.report import verdict


def counts(*, changes: int = 10, records: int = 10, rows: int = 8, failed: int = 2, rejected: int = 0) -> StageCounts:
    return StageCounts(
        changes=changes,
        stream_retries=0,
        records=records,
        refused=0,
        transformed=rows,
        failed=failed,
        objects=1,
        loads_failed=0,
        loaded=Loaded(objects=1, rows=rows, applied=rows - rejected, rejected=rejected),
    )


def test_a_clean_run_is_told_in_few_lines():
    proof = Proof(items=10, equal_rows=8, rejected_items=2, reasons=Counter({"misfit": 1, "bad_number": 1}))

    assert list(verdict(proof, counts())) == [
        "8 of 10 items have a row with equal values",
        "2 broken items have none and lie under failed/",
        "reasons under failed/: 1 bad_number, 1 misfit",
        "accounting: 10 records in = 8 loaded + 2 rejected",
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
        "accounting: 10 records in ≠ 7 loaded + 2 rejected",
        "11 changes were read off the stream, and 10 reached Firehose",
        *(f"problem {number}" for number in range(10)),
        "… and 2 more",
    ]


def test_a_change_that_reached_firehose_twice_is_not_lost():
    assert counts(changes=9, records=10).nothing_lost


def test_rows_that_the_database_refused_count_as_rejected():
    assert list(verdict(Proof(), counts(rows=8, rejected=3)))[-1] == "accounting: 10 records in = 5 loaded + 5 rejected"
