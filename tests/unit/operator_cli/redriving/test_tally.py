import pytest

from operator_cli.redriving.tally import MOST_SAMPLES, Circuit, Sample, Tally


@pytest.mark.parametrize(
    ("tried", "failed", "is_open"),
    [(19, 19, False), (20, 11, True), (20, 10, False), (1000, 501, True), (0, 0, False)],
    ids=["too few to tell", "more than the share", "just the share", "many", "none"],
)
def test_the_circuit_opens_above_its_share_once_enough_was_tried(tried, failed, is_open):
    circuit = Circuit(most=0.5)

    circuit.note(tried=tried, failed=failed)

    assert circuit.is_open is is_open


def test_a_share_of_1_never_stops():
    circuit = Circuit(most=1)

    circuit.note(tried=100, failed=100)

    assert not circuit.is_open


def test_what_was_examined_is_the_sum_of_what_became_of_it():
    tally = Tally("records", redriven=3, dropped=2, left=4)

    tally.fail("misfit", Sample("here", "k", "misfit: why"), count=5)

    assert (tally.failing, tally.examined) == (5, 14)


def test_samples_are_few_for_each_reason_and_every_failure_is_counted():
    tally = Tally("records")

    for number in range(MOST_SAMPLES + 3):
        tally.fail("misfit", Sample(f"object {number}", "k", "misfit: why"))
    tally.fail("undecodable", Sample("another", "k", "undecodable: why"))

    assert len(tally.samples) == MOST_SAMPLES + 1
    assert tally.as_json()["reasons"] == {"misfit": MOST_SAMPLES + 3, "undecodable": 1}
