"""Our stand-in keeps every rule of Firehose that `make conformance` looks at, and the looks can tell who does not."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from conformance.rule import KEPT, Verdict
from conformance.rules import RULES
from conformance.subjects import local_aws_on, ministack_at

from conformance import deliveries, puts, transforms

BROKEN_BY_MINISTACK = {
    puts.more_than_4_mib: Verdict("broken", "accepted"),
    deliveries.buffered_by_interval: Verdict("broken", "2 object(s) after one second of three"),
    transforms.gathered_for_the_function: Verdict("broken", "1 record in the invocation, of 2 that were put"),
}


@pytest.fixture(scope="module")
def verdicts(ministack):
    # Most of each look is waiting for an interval.
    with local_aws_on(ministack.url) as ours, ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda rule: rule.judge(ours), RULES)
        return dict(zip(RULES, found, strict=True))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_our_stand_in_keeps(verdicts, rule):
    assert verdicts[rule] == Verdict(KEPT)


def test_an_implementation_that_breaks_a_rule_is_told_so(ministack):
    theirs = ministack_at(ministack)

    assert {rule: rule.judge(theirs) for rule in BROKEN_BY_MINISTACK} == BROKEN_BY_MINISTACK
