"""Items are counted, tried and told of while they are read; Ctrl-C ends that, and what was found stays."""

from builders import a_column, a_pipeline, dynamodb_json
from rich.progress import Progress

from operator_cli.planning.checking import Trial
from operator_cli.planning.looking import Display, Look
from operator_cli.planning.profile import Profile
from operator_cli.planning.reading import Sample
from operator_cli.planning.report import Plan


class Shown(Display):
    """A display that is told of each batch, and has Ctrl-C pressed at the third."""

    def __init__(self, *, interrupts=False):
        super().__init__(Progress(disable=True), "things", about=None)
        self.told = []
        self._interrupts = interrupts

    def seen(self, items, *, read_units):
        super().seen(items, read_units=read_units)
        self.told.append((items, read_units))
        if self._interrupts and len(self.told) == 3:
            raise KeyboardInterrupt


def a_part(batches):
    return lambda: iter([(dynamodb_json({"id": str(number)}),) for number in range(batches)])


def a_look(*, trial=None):
    return Look(
        Profile("things", {"id": "S"}),
        trial,
        is_heartbeat=lambda item: item["id"]["S"] == "1",
        take_spent=lambda: 0.5,
    )


def test_every_item_but_the_heartbeats_is_counted_and_tried():
    trial = Trial(a_pipeline(columns=[a_column("id", "varchar(9)")]), at_ms=0)
    look, display = a_look(trial=trial), Shown()

    look.at([a_part(4)], Sample(), threads=1, thin=False, display=display)

    assert (trial.items, look.was_interrupted) == (3, False)
    assert display.told == [(1, 0.5), (1, 1.0), (2, 1.5), (3, 2.0)]
    assert look.read_units == 2.5


def test_ctrl_c_ends_the_look_and_what_was_found_is_shown():
    look = a_look()

    look.at([a_part(100)], Sample(), threads=1, thin=False, display=Shown(interrupts=True))

    plan = Plan(
        profile=look.profile,
        source="table things",
        is_whole=True,
        was_interrupted=look.was_interrupted,
        read_units=look.read_units,
        seconds=1.0,
    )
    assert (plan.exit_code, plan.as_json()["items"], plan.as_json()["whole_table"]) == (130, 2, False)
    assert "interrupted: this is what was found so far, and nothing is proposed" in list(plan.for_people())
