"""The workload: reproducible, with exact shares, and every item as good or as broken as it says."""

from collections import Counter
from pathlib import Path

import pytest
from builders import a_change
from hypothesis import given
from hypothesis import strategies as st

from ddb2aurora.errors import Reason, RejectError
from ddb2aurora.mapping import Mapper
from ddb2aurora.pipeline_file import read_pipeline_file
from operator_cli.clickstream import KEY, Operation, Shares, SharesError, operations

NO_SHARES = Shares(updated=0, deleted=0, recreated=0, broken=0)
PIPELINES = Path(__file__).parents[3] / "pipelines"


def kinds_by_item(planned):
    """Return for each key what happens to it, in order: P for a put, D for a delete."""
    found = {}
    for operation in planned:
        found[operation.key] = found.get(operation.key, "") + ("D" if operation.item is None else "P")
    return found


def test_the_same_seed_gives_the_same_workload():
    assert list(operations(300, seed=7, shares=Shares())) == list(operations(300, seed=7, shares=Shares()))


def test_another_seed_gives_another_workload():
    assert list(operations(300, seed=7, shares=Shares())) != list(operations(300, seed=8, shares=Shares()))


def test_the_shares_are_met_exactly():
    planned = list(operations(1000, seed=1, shares=Shares(updated=0.1, deleted=0.05, recreated=0.02, broken=0.03)))

    assert Counter(kinds_by_item(planned).values()) == {"P": 830, "PP": 100, "PD": 50, "PDP": 20}
    assert sum(operation.breaks is not None for operation in planned) == 30


def test_broken_items_lie_between_good_ones():
    planned = list(operations(1000, seed=1, shares=Shares(broken=0.02)))

    places = [place for place, operation in enumerate(planned) if operation.breaks]
    assert places[0] < 500 < places[-1]


share = st.floats(0, 0.25)


@given(
    count=st.integers(1, 60),
    seed=st.integers(0, 2**32),
    shares=st.builds(Shares, updated=share, deleted=share, recreated=share, broken=share),
)
def test_all_items_are_put_first_and_none_is_made_again_before_its_delete(count, seed, shares):
    planned = list(operations(count, seed=seed, shares=shares))

    assert all(operation.item is not None for operation in planned[:count])
    assert len({operation.key for operation in planned[:count]}) == count
    assert set(kinds_by_item(planned).values()) <= {"P", "PP", "PD", "PDP"}
    assert all(operation.breaks is None for operation in planned[count:])


def test_every_item_bears_its_key():
    for operation in operations(50, seed=1, shares=NO_SHARES):
        assert tuple(operation.item[name] for name in KEY) == operation.key


def test_several_visits_share_a_page():
    pages = {operation.key[0] for operation in operations(30, seed=1, shares=NO_SHARES)}

    assert len(pages) == 10


def test_every_item_is_mapped_or_rejected_for_the_reason_it_says():
    mapper = Mapper(read_pipeline_file(PIPELINES / "web_analytics.yaml"))
    planned = list(operations(200, seed=3, shares=Shares(broken=0.5)))

    reasons = [(operation.breaks, _reason(mapper, operation)) for operation in planned if operation.item]

    assert all(expected == found for expected, found in reasons)
    assert {expected for expected, _ in reasons} == {
        None,
        Reason.SCHEMA_VIOLATION,
        Reason.DOCUMENT_NOT_JSON,
        Reason.MISFIT,
    }


def _reason(mapper, operation: Operation):
    try:
        mapper.row(a_change(item=operation.item, key=KEY))
    except RejectError as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    "shares", [{"updated": 0.6, "deleted": 0.5}, {"broken": 1.0}, {"updated": -0.1}, {"recreated": float("inf")}]
)
def test_shares_that_contradict_each_other_are_refused(shares):
    with pytest.raises(SharesError, match="at most 1"):
        Shares(**shares)


def test_shares_may_take_every_item():
    shares = Shares(updated=0.1, deleted=0.2, recreated=0.3, broken=0.4)

    planned = list(operations(100, seed=1, shares=shares))

    assert Counter(kinds_by_item(planned).values()) == {"P": 40, "PP": 10, "PD": 20, "PDP": 30}
