"""A finding becomes certain only when the target's side has stayed the same for longer than the pipeline needs."""

import dataclasses

import pytest

from ddb2aurora.errors import Reason
from operator_cli.verifying.findings import Finding
from operator_cli.verifying.sides import Verdict

_DIFFERENT = Verdict("different", ("n",))


def a_finding(**parts):
    return Finding(**{"item_key": '[{"S": "a"}]', "row_key": ("a",), "kind": "different", **parts})


def again(finding, verdict=_DIFFERENT, *, signature="7/-1/-1", now_ms):
    return finding.seen_again(verdict, signature=signature, now_ms=now_ms, settle_ms=100)


def test_a_first_second_look_only_begins_the_wait():
    assert again(a_finding(), now_ms=10_000) == a_finding(
        columns=("n",), signature="7/-1/-1", since_ms=10_000, checked_ms=10_000
    )


@pytest.mark.parametrize(("now_ms", "state"), [(10_099, "pending"), (10_100, "confirmed")])
def test_what_stays_the_same_long_enough_is_confirmed(now_ms, state):
    seen = again(again(a_finding(), now_ms=10_000), now_ms=now_ms)

    assert (seen.state, seen.since_ms, seen.checked_ms) == (state, 10_000, now_ms)


def test_a_row_that_changed_begins_the_wait_anew():
    seen = again(again(a_finding(), now_ms=10_000), signature="8/-1/-1", now_ms=10_500)

    assert (seen.state, seen.since_ms, seen.restarts) == ("pending", 10_500, 1)


def test_a_row_that_changed_while_it_was_looked_at_begins_the_wait_anew():
    seen = again(again(a_finding(), now_ms=10_000), signature=None, now_ms=10_500)

    assert (seen.state, seen.signature, seen.restarts) == ("pending", None, 1)


def test_a_row_that_keeps_changing_is_moving():
    seen = a_finding()
    for version in range(5):
        seen = again(seen, signature=str(version), now_ms=10_000 + 500 * version)

    assert seen.state == "moving"


def test_sides_that_agree_by_now_end_the_finding_as_what_it_was():
    seen = again(again(a_finding(columns=("n",)), now_ms=10_000), Verdict("equal"), now_ms=10_001)

    assert (seen.state, seen.kind, seen.columns) == ("gone", "different", ("n",))


def test_an_item_that_can_never_load_is_rejected_with_its_reason():
    seen = again(a_finding(), Verdict("unloadable", reason=Reason.MISFIT), now_ms=10_000)

    assert (seen.state, seen.kind, seen.note) == ("rejected", "unloadable", "misfit")


def test_a_finding_may_become_another_kind():
    assert again(a_finding(kind="missing"), Verdict("extra"), now_ms=1).kind == "extra"


def test_the_hash_of_a_key_is_the_same_however_it_was_found():
    ours = a_finding()

    assert ours.key_hash == dataclasses.replace(ours, item_key=None, kind="extra").key_hash
    assert ours.key_hash != a_finding(row_key=("b",)).key_hash
    assert a_finding(row_key=None).key_hash != a_finding(row_key=None, item_key="[]").key_hash
