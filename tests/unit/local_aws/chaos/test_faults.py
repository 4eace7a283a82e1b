import pytest

from local_aws.chaos.plan import RATES
from local_aws.faults import FAULTS, NO_FAULTS, Faults

NAME = "stream.duplicate_batch"


def test_a_fault_that_is_behind_its_pace_becomes_likely():
    faults = Faults(rates={NAME: 0}, pace=lambda: 3)

    struck = sum(faults.strikes(NAME) for _ in range(100))

    assert struck == 3
    assert faults.counts == {NAME: 3}


def test_nothing_strikes_while_the_faults_rest():
    faults = Faults(rates={NAME: 1}, pace=lambda: 9)

    faults.rest()
    resting = [faults.strikes(NAME), faults.behind(NAME)]
    faults.rest(resting=False)

    assert resting == [False, False]
    assert faults.strikes(NAME)


def test_a_fault_that_is_not_asked_for_is_never_behind():
    assert not Faults(rates={}, pace=lambda: 9).behind(NAME)
    assert not NO_FAULTS.strikes(NAME)


def test_a_function_meets_the_faults_of_its_stage():
    faults = Faults(rates={"aurora-loader.crash_before": 1})

    meets = [faults.of(stage).strikes("function.crash_before") for stage in ("aurora-loader", "stream-processor")]

    assert meets == [True, False]
    assert faults.counts == {"aurora-loader.crash_before": 1}


def test_what_others_brought_about_is_counted_too():
    faults = Faults(rates={"database.crash": 0}, pace=lambda: 1)
    before = faults.behind("database.crash")

    faults.struck("database.crash")

    assert (before, faults.behind("database.crash"), faults.counts) == (True, False, {"database.crash": 1})


def test_chaos_asks_for_every_fault_but_those_that_no_stage_of_it_has():
    assert {name for name in FAULTS if name not in RATES} == {
        "function.crash_before",
        "function.crash_during",
        "function.lose_answer",
    }


def test_a_fault_of_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"unknown fault 'database\.fire'"):
        Faults(rates={"database.fire": 0.5})
