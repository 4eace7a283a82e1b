"""The parts of a table add up to the whole, and a sample takes segments and keys of its share."""

import pytest

from operator_cli.verifying.plan import Plan, plan_of

_HASHES = [number * 2**64 // 1000 for number in range(1000)] + [2**64 - 1]


def test_the_whole_is_every_segment_and_every_key():
    plan = plan_of(segments=4, settle_ms=1)

    assert plan == Plan(4, (0, 1, 2, 3), 0.0, 1.0, 1)
    assert plan.is_whole
    assert all(map(plan.has, _HASHES))


def test_the_parts_are_disjoint_and_leave_nothing_out():
    plans = [plan_of(segments=2, settle_ms=1, part=(number, 3)) for number in (1, 2, 3)]

    assert sorted(segment for plan in plans for segment in plan.segments) == list(range(6))
    assert {plan.of_segments for plan in plans} == {6}
    assert all(sum(plan.has(value) for plan in plans) == 1 for value in _HASHES)
    assert not any(plan.is_whole for plan in plans)


@pytest.mark.parametrize("sample", [0.01, 0.3])
def test_a_sample_takes_its_share_of_segments_and_of_keys(sample):
    plan = plan_of(segments=4, settle_ms=1, sample=sample, seed="run")

    assert len(plan.segments) / plan.of_segments == pytest.approx(sample, rel=0.1)
    assert sum(map(plan.has, _HASHES)) / len(_HASHES) == pytest.approx(sample, abs=0.005)
    assert plan == plan_of(segments=4, settle_ms=1, sample=sample, seed="run")
    assert not plan.is_whole


def test_a_plan_is_kept_as_json():
    plan = plan_of(segments=4, settle_ms=1, sample=0.1, seed="run")

    assert Plan.from_json(plan.as_json()) == plan
