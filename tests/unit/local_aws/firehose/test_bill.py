"""What AWS would bill, and how many lines travel in records."""

import pytest

from local_aws.firehose.bill import Bill, bill_of, lines_in
from local_aws.firehose.statistics import Statistics


@pytest.mark.parametrize(
    ("datas", "bill"),
    [
        ([], Bill(0, 0, 0)),
        ([b"x\n"] * 3, Bill(3 * 5120, 3 * 5120, 5120)),
        ([b"x\n" * 3], Bill(5120, 3 * 5120, 5120)),
        ([b"x" * 5119 + b"\n", b"x" * 5120 + b"\n"], Bill(3 * 5120, 3 * 5120, 3 * 5120)),
        ([b"no newline", b"x" * 60_000 + b"\n"], Bill(13 * 5120, 13 * 5120, 13 * 5120)),
    ],
)
def test_a_call_is_billed_as_it_came_line_by_line_and_packed(datas, bill):
    assert bill_of(datas) == bill


@pytest.mark.parametrize(
    ("data", "lines"), [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"a\nb\n", 2), (b"\r\n", 1)]
)
def test_a_line_ends_in_a_newline_or_with_the_record(data, lines):
    assert lines_in(data) == lines


def test_puts_are_added_up():
    counts = Statistics()

    counts.count_put([b"a\nb\n"], refused=1)
    counts.count_put([b"c\n"], refused=0)

    assert counts == Statistics(
        records_in=2,
        bytes_in=6,
        lines_in=3,
        refused=1,
        billed_bytes=2 * 5120,
        billed_bytes_one_by_one=3 * 5120,
        billed_bytes_packed=2 * 5120,
    )
