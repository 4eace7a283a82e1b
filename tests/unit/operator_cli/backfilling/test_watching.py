"""What the bar of a backfill shows."""

from operator_cli.backfilling.segments import InFlight
from operator_cli.backfilling.watching import Display


class FakeBars:
    """A progress display with one task, by hand."""

    def __init__(self):
        self.shown = {}

    def add_task(self, description, *, total):
        self.shown = {"description": description, "total": total, "completed": 0}
        return 0

    def update(self, _task, **changes):
        self.shown |= changes


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def a_display(items):
    bars, clock = FakeBars(), Clock()
    return Display(bars, items=items, monotonic=clock), bars, clock


def test_the_rate_the_rejects_the_objects_and_the_time_that_is_left_are_shown():
    display, bars, clock = a_display(10_000)
    clock.now = 2.0

    display.read(items=1000, rejected=3)
    display.flies(InFlight(4, {}, (), 0))

    assert bars.shown == {
        "description": "500 items/s, 3 rejected, 4 objects to load, about 18 s left",
        "completed": 1000,
        "total": 10_000,
    }


def test_what_was_read_before_is_part_of_the_bar_and_not_of_the_rate():
    display, bars, clock = a_display(10_000)
    display.resume(items=5000, rejected=1)
    clock.now = 1.0

    display.read(items=1000, rejected=0)

    assert bars.shown["description"] == "1,000 items/s, 1 rejected, 0 objects to load, about 4 s left"
    assert (bars.shown["completed"], display.items_now) == (6000, 1000)


def test_more_items_than_were_counted_hours_ago_stretch_the_bar():
    display, bars, clock = a_display(100)
    clock.now = 1.0

    display.read(items=150, rejected=0)

    assert (bars.shown["total"], "left" in bars.shown["description"]) == (150, False)


def test_of_a_table_that_nobody_counted_no_end_is_shown():
    display, bars, _ = a_display(0)

    display.say("export: in progress")

    assert bars.shown == {"description": "export: in progress", "total": None, "completed": 0}
