"""The harness of the benchmark: turns, spreads, ratios, and a page that hides nothing."""

import sys
from pathlib import Path

import pytest
from benchmarking.children import Child, ChildError, whole_process
from benchmarking.growth import Curve, fit
from benchmarking.interleave import Sample, Samples, Spread, interleaved, ratio, spread, timed, wall_ratio
from benchmarking.page import GoalWithoutBoundError, Part, page
from benchmarking.sections import Goal, Line, Plot, Section, Table, exponent, rate, thousands, times
from benchmarking.workloads import SHAPES, reference_pipeline, transform_event

CIRCUMSTANCES = {
    "at": "2026-01-05T10:00:00+00:00",
    "commit": "abc",
    "machine": {"cpu": "a processor", "cores": 2, "memory_gib": 4, "kernel": "Linux 6"},
    "versions": {"CPython": "3.13.0"},
    "load_before": 0.1,
    "load_after": 0.9,
    "seconds": 61.2,
}
HERE = Path(__file__).parent


def recorder(calls, name, seconds=1.0):
    def contestant(times):
        calls.append((name, times))
        return Sample(seconds * times, seconds * times / 2)

    return contestant


def test_contestants_take_turns_and_each_is_first_as_often():
    calls = []

    interleaved({"a": recorder(calls, "a"), "b": recorder(calls, "b")}, rounds=4, at_least_seconds=0)

    assert [name for name, _ in calls] == ["a", "b", "b", "a", "a", "b", "b", "a"]


def test_quick_work_is_repeated_until_a_round_takes_long_enough_and_told_for_one_repetition():
    calls = []

    found = interleaved({"a": recorder(calls, "a", seconds=0.01)}, rounds=2, at_least_seconds=0.1)

    assert calls[-1] == ("a", 10)
    assert found["a"].repeats == 10
    assert found["a"].wall == pytest.approx([0.01, 0.01])
    assert found["a"].cpu == pytest.approx([0.005, 0.005])


def test_work_of_this_process_is_timed():
    taken = timed(lambda: sum(range(1000)))(3)

    assert taken.wall_seconds > 0


def test_a_spread_is_the_median_between_the_quartiles():
    assert spread([4, 1, 3, 2, 5]) == Spread(3, 2, 4)
    assert spread([7]) == Spread(7, 7, 7)


def test_a_ratio_compares_within_rounds():
    ours, theirs = Samples(1, [1, 2], [1, 2]), Samples(1, [4, 8], [2, 4])

    assert ratio(ours, theirs).median == 2
    assert wall_ratio(ours, theirs).median == 4


def test_samples_are_kept_and_read_again():
    samples = Samples(3, [0.25], [0.125])

    assert Samples.from_json(samples.to_json()) == samples
    assert samples.per_second(2).median == 16


def test_figures_are_written_with_three_digits():
    assert thousands(123_456) == "123,000"
    assert times(Spread(1.5, 1.25, 2)) == "1.50 × (1.25 – 2.00)"
    assert rate(Spread(1000, 999, 1001)) == "1,000 (999 – 1,000)"


@pytest.mark.parametrize(("value", "text"), [(0.126, "0.13"), (-0.126, "−0.13"), (-0.004, "0.00")])  # noqa: RUF001
def test_an_exponent_that_rounds_to_zero_has_no_sign(value, text):
    assert exponent(value) == text


def test_a_power_law_is_found_again():
    law = fit([1, 10, 100], [3, 3 * 10**0.5, 30])

    assert law.slope == pytest.approx(0.5)
    assert law.factor == pytest.approx(3)
    assert law.at(10_000) == pytest.approx(300)


def test_a_law_of_a_given_slope_passes_through_the_middle_of_the_points():
    law = fit([1, 100], [2, 8], slope=0)

    assert law == (0, pytest.approx(4))


def test_the_slope_of_a_curve_is_fitted_to_each_round_by_itself():
    # A machine that is four times as slow in its last round is no growth; that a cost of a round grows is.
    curve = Curve([1, 10, 100], [[5, 5, 20], [5, 50, 20], [5, 500, 20]])

    assert curve.slope() == Spread(pytest.approx(0), pytest.approx(0), pytest.approx(0.5))


def test_the_rise_of_a_curve_is_from_its_least_cost_to_its_last():
    curve = Curve([1, 10, 100], [[90, 90, 90], [10, 20, 40], [15, 30, 60]])

    assert curve.slope().median < 0
    assert curve.rise() == Spread(1.5, 1.5, 1.5)


def test_a_curve_that_falls_to_its_end_does_not_rise():
    assert Curve([1, 10], [[3, 4], [2, 1]]).rise() == Spread(1, 1, 1)


def test_a_curve_may_begin_later():
    curve = Curve([1, 10, 100], [[90], [10], [10]])

    assert curve.beginning_at(10) == Curve([10, 100], [[10], [10]])


def test_an_event_of_so_many_records_begins_as_the_full_one():
    pipeline = reference_pipeline()

    full = transform_event(SHAPES[0], pipeline=pipeline)

    assert transform_event(SHAPES[0], pipeline=pipeline, most_records=3) == {**full, "records": full["records"][:3]}


def a_part(*goals, blocks=()):
    return Part("things", "Things", Section(goals, blocks), CIRCUMSTANCES)


def written(part):
    return page([part], names=["things"], minutes=3)


def test_every_goal_stands_beside_its_figure():
    text = written(a_part(Goal("fast", "1.5 ×", met=True), Goal("small", "9 MB", met=False, bound="It is what it is.")))

    assert "| Things | fast | 1.5 × | yes |" in text
    assert "| Things | small | 9 MB | **no** |" in text
    assert "- **Things: small.** It is what it is." in text


def test_a_goal_that_is_not_met_has_to_be_explained():
    with pytest.raises(GoalWithoutBoundError, match="small"):
        written(a_part(Goal("small", "9 MB", met=False)))


def test_the_page_says_where_and_when_each_part_ran():
    text = written(a_part())

    assert "| Things | 2026-01-05 10:00 UTC | abc | 61 s | 0.1 – 0.9 |" in text
    assert "Measured on a processor, 2 cores, 4 GiB, Linux 6; CPython 3.13.0." in text


def test_words_tables_and_plots_stand_in_their_order():
    plot = Plot("curve", "A curve", "x", "y", (Line("a", [1], [2]),))

    text = written(a_part(blocks=("Words.", Table(("a", "b"), (("1", "2"),)), plot)))

    assert "Words.\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n![A curve](performance/things-curve.svg)" in text


ECHO = """
import json, os, sys
answers = os.fdopen(3, "w")
for line in sys.stdin:
    request = json.loads(line)
    if request.get("end"):
        sys.exit(4)
    print("what the function logs")
    answers.write(json.dumps({"wall": request["times"], "cpu": 1.5}) + chr(10))
    answers.flush()
"""


def test_a_process_is_asked_line_by_line_and_what_it_prints_goes_nowhere(capfd):
    with Child([sys.executable, "-c", ECHO], folder=HERE) as child:
        found = [child.contestant(case="any")(times) for times in (2, 3)]

    assert found == [Sample(2, 1.5), Sample(3, 1.5)]
    assert capfd.readouterr().out == ""


def test_a_process_that_ends_is_told():
    with Child([sys.executable, "-c", ECHO], folder=HERE) as child, pytest.raises(ChildError, match="ended with 4"):
        child.ask(end=True)


def test_a_whole_process_is_measured_from_its_start_to_its_end():
    taken = whole_process([sys.executable, "-I", "-c", "pass"], folder=HERE, environment={})(2)

    assert taken.wall_seconds > 0


def test_a_whole_process_that_fails_is_told():
    with pytest.raises(ChildError, match="ended with 3"):
        whole_process([sys.executable, "-I", "-c", "raise SystemExit(3)"], folder=HERE, environment={})(1)
