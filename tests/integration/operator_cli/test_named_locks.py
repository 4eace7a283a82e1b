"""One kind of work is done on a target by one at a time."""

import pytest

from operator_cli.backfilling.runs import BACKFILL
from operator_cli.named_locks import alone, take_turn
from operator_cli.rebuilding.runs import REBUILD
from operator_cli.verifying.mending import REPAIR

WORKS = [BACKFILL, REBUILD, REPAIR]


@pytest.fixture
def connections(target):
    return target.connect()[0], target.connect()[0]


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (BACKFILL, "Shop.Things is being backfilled by somebody else; wait until that ends"),
        (REBUILD, "Shop.Things is being rebuilt by somebody else; wait until that ends"),
        (REPAIR, "Shop.Things is being repaired by somebody else; wait until that ends"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_second_who_does_the_same_is_refused_and_told_so(connections, work, told):
    one, other = connections

    with alone(one, work, target="Shop.Things"), pytest.raises(work.error) as refused:
        take_turn(other, work, target="Shop.Things")

    assert str(refused.value) == told


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_other_work_and_other_targets_are_free(connections, work):
    one, other = connections

    with alone(one, work, target="Shop.Things"):
        take_turn(other, work, target="Shop.Orders")
        for another in WORKS:
            if another is not work:
                take_turn(other, another, target="Shop.Things")


def test_the_turn_of_one_ends_with_the_block(connections):
    one, other = connections

    with alone(one, REPAIR, target="Shop.Things"):
        pass

    take_turn(other, REPAIR, target="Shop.Things")


def test_the_turn_of_one_whose_connection_ends_is_over_and_is_waited_for(connections):
    one, other = connections

    with alone(one, REPAIR, target="Shop.Things"):
        one.close()
        take_turn(other, REPAIR, target="Shop.Things", wait_seconds=10)

    assert not one.open
