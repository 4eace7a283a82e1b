"""How the conformance of an implementation is judged, and what docs/conformance.md says of ours."""

from datetime import date
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from conformance.page import page, table
from conformance.rule import BROKEN, KEPT, NOT_OFFERED, Verdict, expect, expect_refusal, rule
from conformance.rules import RULES
from conformance.subject import Subject

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
OURS = Subject("Ours", "1", firehose=None, s3=None, sqs=None, function_arn=None, no_function="no engine")


def refused(code):
    """Return a call that is refused."""

    def call():
        raise ClientError({"Error": {"Code": code}}, "PutRecordBatch")

    return call


def judged(look, **options):
    return rule("It is so", **options)(lambda _subject: look()).judge(OURS)


@pytest.mark.parametrize(
    ("look", "verdict"),
    [
        (lambda: None, Verdict(KEPT)),
        (lambda: expect(held=False, otherwise="two objects"), Verdict(BROKEN, "two objects")),
        (refused("InternalError"), Verdict(BROKEN, "PutRecordBatch: InternalError")),
        (refused("NotImplemented"), Verdict(NOT_OFFERED, "PutRecordBatch: NotImplemented")),
        (lambda: expect_refusal("Wanted", refused("Wanted")), Verdict(KEPT)),
        (lambda: expect_refusal("Wanted", refused("Other")), Verdict(BROKEN, "refused with Other")),
        (lambda: expect_refusal("Wanted", dict), Verdict(BROKEN, "accepted")),
        (
            lambda: expect_refusal("Wanted", lambda: {"FailedPutCount": 2}),
            Verdict(BROKEN, "accepted, with FailedPutCount 2"),
        ),
    ],
)
def test_a_look_is_judged(look, verdict):
    assert judged(look) == verdict


def test_a_rule_about_a_function_is_not_offered_where_none_runs():
    assert judged(lambda: None, needs_function=True) == Verdict(NOT_OFFERED, "no engine")


def test_the_page_has_a_table_and_what_was_seen_where_a_rule_is_not_kept():
    rules = [rule("One")(print), rule("Two")(print)]
    columns = [(OURS, [Verdict(KEPT), Verdict(BROKEN, "an\nobject")])]

    written = page(rules, columns, day=date(2026, 1, 2))

    expected = """\
| rule of AWS | Ours 1 |
| --- | --- |
| 1. One | kept |
| 2. Two | **broken** |
| kept | 1 of 2 |
"""
    assert table(rules, columns) == expected
    assert written.endswith(f"\n{expected}\n## What was seen in Ours\n\n- 2: broken: an object\n")


def test_the_committed_page_has_every_rule_and_ours_kept():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][2:-1]

    assert [row.split(" | ")[:2] for row in rows] == [
        [f"| {number}. {found.text}", "kept"] for number, found in enumerate(RULES, start=1)
    ]
