"""The order in which a backfill reads, writes and notes, and what survives a death at any point of it."""

import dataclasses
import itertools
import threading

import pytest
from builders import CHANGED_AT_MS, a_pipeline, dynamodb_json

from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.dialect import decode_row
from ddb2aurora.errors import HaltError, RetryError
from operator_cli.backfilling.copying import LONGEST_GATHERING_MS, Bounds, Copying
from operator_cli.backfilling.errors import LoaderIdleError
from operator_cli.backfilling.items import ItemMapper
from operator_cli.backfilling.reading import Portion
from operator_cli.backfilling.segments import InFlight, Run, Segment

_MAPPER = ItemMapper(a_pipeline())
_NOTHING = InFlight(0, {}, (), 0)


class KilledError(BaseException):
    """What ends a process at one point, as kill -9 would."""


class FakeReading:
    """Segments of pages of items; a page is read when it is asked for."""

    def __init__(self, *segments, read_at_ms=None):
        self.segments = segments
        self.read_at_ms = read_at_ms
        self.hurried = False
        self.fails = lambda: None

    def portions(self, number, *, resume_at):
        pages = self.segments[number]
        for place in range(0 if resume_at is None else resume_at["page"], len(pages)):
            self.fails()
            items = tuple(dynamodb_json({"id": name, "n": 1}) for name in pages[place])
            yield Portion(items, {"page": place + 1} if place + 1 < len(pages) else None)

    def take_spent(self):
        return 1.0

    def hurry(self):
        self.hurried = True


class World:
    """What outlives a process: S3, and the checkpoints; `acts` counts what is done to them, and may end the process."""

    def __init__(self, reading, *, object_bytes=1):
        self.reading = reading
        self.objects = {}
        self.run = Run("run", "scan", "shape", tuple(Segment(number) for number in range(len(reading.segments))))
        self.clock = itertools.count(CHANGED_AT_MS, 1000)
        self.log = []
        self.dies = lambda _: None
        self.fails = lambda _: None
        self.held = lambda: _NOTHING
        self.stopping = threading.Event()
        self.object_bytes = object_bytes
        self.kept = self._kept()

    def _kept(self):
        return {segment.number: dataclasses.replace(segment) for segment in self.run.segments}

    def _act(self, name):
        self.log.append(name)
        self.fails(name)
        self.dies(name)

    def write(self, gathering):
        self._act("about to write")
        content = b"".join(gathering.rows)
        self.objects[content] = gathering.at_ms
        self._act("written")
        return ObjectRef("bucket", str(hash(content))) if content else None

    def note_time(self, _run, segment):
        self._act("note time")
        self.kept[segment.number] = dataclasses.replace(segment)

    def advance(self, _run, segment, _ref, **_):
        self._act("about to advance")
        self.kept[segment.number] = dataclasses.replace(segment)
        self._act("advanced")

    def hold(self, **_):
        self._act("hold")
        return self.held()

    def process(self, *, threads=1, **parts):
        """Return a process that begins from what is kept."""
        self.stopping.clear()
        self.run.segments = tuple(dataclasses.replace(segment) for segment in self.kept.values())
        return Copying(
            self.run,
            reading=self.reading,
            mapper=_MAPPER,
            write=self.write,
            notes=self,
            limit=self,
            bounds=Bounds(threads=threads, object_bytes=self.object_bytes, in_flight=3),
            watcher=self,
            stopping=self.stopping,
            now_ms=lambda: next(self.clock),
            **{"pause": lambda _: None, **parts},
        )

    def read(self, **_):
        self._act("page read")

    def rows(self):
        return sorted({decode_row(line).fields[0] for content in self.objects for line in content.splitlines()})

    @property
    def states(self):
        return [(segment.items, segment.objects, segment.state) for segment in self.kept.values()]


_PAGES = ((["a", "b"], ["c"], ["d"]), (["e"], ["f"]))
_ALL = list("abcdef")


def a_world(*segments, **parts):
    return World(FakeReading(*(segments or _PAGES)), **parts)


def test_all_segments_are_copied_and_counted():
    world = a_world()

    world.process().run()

    assert (world.rows(), world.states) == (_ALL, [(4, 3, "written"), (2, 2, "written")])


def test_an_object_is_written_before_the_checkpoint_moves_and_the_loader_is_waited_for_after_it():
    world = a_world((["a"], ["b"]))

    world.process().run()

    page = ["page read", "about to write", "written", "about to advance", "advanced"]
    assert world.log == ["hold", "note time", *page, "hold", *page]


def test_pages_are_gathered_until_an_object_is_large_enough():
    world = a_world(object_bytes=10**6)

    world.process().run()

    assert (world.rows(), world.states) == (_ALL, [(4, 1, "written"), (2, 1, "written")])


def run_twice_at_most(world, *, death):
    """Run a process that dies at its act number *death*, and then another one if it did."""
    acts = itertools.count(1)

    def die(_):
        if next(acts) == death:
            raise KilledError

    world.dies = die
    for _ in range(2):
        try:
            world.process().run()
        except KilledError:
            continue
        break


@pytest.mark.parametrize("death", range(1, 40))
def test_a_process_that_dies_at_any_point_is_gone_on_with_and_nothing_is_lost_or_counted_twice(death):
    world = a_world()

    run_twice_at_most(world, death=death)

    assert (world.rows(), world.states) == (_ALL, [(4, 3, "written"), (2, 2, "written")])


@pytest.mark.parametrize("death", range(1, 30))
def test_what_is_written_again_after_a_death_is_the_same_object(death):
    world = a_world((["a"], ["b"], ["c"]))

    run_twice_at_most(world, death=death)

    assert len(world.objects) == 3


def test_rows_have_a_time_that_lies_before_the_first_of_their_items_was_asked_for():
    world = a_world((["a"], ["b"]))
    asked = []
    world.reading.fails = lambda: asked.append(next(world.clock))

    world.process().run()

    assert all(at_ms < asked_ms for at_ms, asked_ms in zip(world.objects.values(), asked, strict=True))


def test_a_checkpoint_that_is_old_gets_a_time_of_now_before_its_items_are_read():
    world = a_world((["a"],))
    world.kept[0].since_ms = CHANGED_AT_MS - LONGEST_GATHERING_MS - 1

    world.process().run()

    assert list(world.objects.values()) == [CHANGED_AT_MS]
    assert world.log[:3] == ["hold", "note time", "page read"]


def test_a_checkpoint_of_the_future_gets_a_time_of_now():
    world = a_world((["a"],))
    world.kept[0].since_ms = CHANGED_AT_MS + 10**9

    world.process().run()

    assert list(world.objects.values()) == [CHANGED_AT_MS]


def test_rows_do_not_wait_for_their_object_to_fill_for_ever():
    world = a_world((["a"], ["b"], ["c"]), object_bytes=10**6)
    world.clock = itertools.count(CHANGED_AT_MS, LONGEST_GATHERING_MS // 2 + 1)

    world.process().run()

    assert len(world.objects) == 2


def test_all_rows_of_an_export_have_its_time():
    world = World(FakeReading(*_PAGES, read_at_ms=12345))

    world.process().run()

    assert (world.rows(), set(world.objects.values())) == (_ALL, {12345})


def test_a_page_that_cannot_be_read_is_asked_for_again_and_what_was_gathered_stays():
    world = a_world(object_bytes=10**6)
    failing = itertools.cycle([False, True, True])

    def fail():
        if next(failing):
            raise RetryError("slow down")

    world.reading.fails = fail

    world.process().run()

    assert (world.rows(), world.states) == (_ALL, [(4, 1, "written"), (2, 1, "written")])


@pytest.mark.parametrize("failing", ["about to write", "written", "note time", "about to advance", "advanced"])
def test_what_fails_for_a_while_is_tried_again(failing):
    world = a_world()
    fails = iter([True, True] + [False] * 1000)

    def fail(name):
        if name == failing and next(fails):
            raise RetryError("later")

    world.fails = fail

    world.process().run()

    assert (world.rows(), world.states) == (_ALL, [(4, 3, "written"), (2, 2, "written")])


def test_what_fails_for_good_ends_the_run_and_the_next_one_goes_on():
    world = a_world()

    def fail(name):
        if name == "about to write" and len(world.objects) == 2:
            raise RetryError("later")

    world.fails = fail
    with pytest.raises(RetryError, match="later"):
        world.process().run()
    world.fails = lambda _: None

    world.process().run()

    assert (world.rows(), world.states) == (_ALL, [(4, 3, "written"), (2, 2, "written")])


def test_what_needs_someone_is_not_tried_again():
    world = a_world()

    def fail(name):
        if name == "about to write":
            raise HaltError("act")

    world.fails = fail

    with pytest.raises(HaltError, match="act"):
        world.process().run()

    assert world.log.count("about to write") == 1


def test_a_thread_that_fails_has_the_others_write_what_they_hold_and_stop():
    world = a_world((["a"],) * 1, *((["b"], ["c"]),) * 3, object_bytes=10**6)

    def fail(name):
        if name == "page read":
            raise HaltError("act")

    world.fails = fail

    with pytest.raises(HaltError, match="act"):
        world.process(threads=4).run()

    assert (world.stopping.is_set(), world.reading.hurried) == (True, True)


def test_what_is_held_is_written_when_the_work_is_stopped_and_nothing_more_is_read():
    world = a_world((["a"], ["b"], ["c"]), object_bytes=10**6)
    reads = itertools.count(1)

    def stop(name):
        if name == "page read" and next(reads) == 2:
            world.stopping.set()

    world.fails = stop

    world.process().run()

    assert (world.rows(), world.states) == (["a", "b"], [(2, 1, "reading")])


def test_a_loader_that_stands_still_ends_the_run_with_everything_noted():
    world = a_world((["a"], ["b"]))

    def held():
        if world.objects:
            raise LoaderIdleError("idle")

    world.held = held

    with pytest.raises(LoaderIdleError):
        world.process().run()

    assert (world.rows(), world.states) == (["a"], [(1, 1, "reading")])


def test_a_run_whose_time_is_up_stops_and_hurries_those_that_wait():
    world = a_world((["a"], ["b"], ["c"]))
    world.held = lambda: world.stopping.wait(30) and _NOTHING

    world.process().run(seconds=0)

    assert (world.reading.hurried, world.kept[0].state) == (True, "reading")
