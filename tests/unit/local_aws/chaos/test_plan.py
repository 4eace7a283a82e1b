from itertools import islice

from local_aws.chaos.plan import RATES, Pace, Plan
from local_aws.chaos.report import SURVIVED_BY
from local_aws.chaos.workload import HOT_ITEMS, hot_keys, writes


def a_plan(**parts):
    return Plan(**{"seed": 1, "changes": 1000, "seconds": 100, "least": 50, **parts})


def test_the_pace_follows_the_run_to_more_than_the_plan_asks_for_before_its_end():
    pace = Pace(a_plan(least=100))
    before = pace()

    paces = []
    for done in (0, 0.45, 0.9, 1):
        pace.reach(done)
        paces.append(round(pace(), 6))

    assert (before, paces) == (0, [0, 57.5, 115, 115])


def test_a_plan_that_asks_for_little_has_faults_all_the_same():
    pace = Pace(a_plan(least=0, seconds=150))

    pace.reach(1)

    assert pace() == 10


def test_every_fault_says_what_survives_it():
    assert set(SURVIVED_BY) == set(RATES)


def test_the_same_seed_gives_the_same_writes_and_another_gives_others():
    first, again, other = (list(islice(writes(seed=seed, cold_items=50), 300)) for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_a_delete_is_always_one_of_an_item_that_is_there():
    alive = set()
    deletes = 0
    for operation in islice(writes(seed=5, cold_items=100), 3000):
        if operation.item is None:
            alive.remove(operation.key)
            deletes += 1
        else:
            alive.add(operation.key)

    assert deletes > 300


def test_a_quarter_of_the_writes_meets_few_hot_items():
    hot = set(hot_keys())

    share = sum(operation.key in hot for operation in islice(writes(seed=5, cold_items=10_000), 4000)) / 4000

    assert len(hot) == HOT_ITEMS
    assert 0.2 < share < 0.3
