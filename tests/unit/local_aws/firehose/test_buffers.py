from hypothesis import given
from hypothesis import strategies as st

from local_aws.firehose.buffers import DUE_NOW, Buffer, Hints, Outbox, Shipment
from local_aws.firehose.records import Part


def a_buffer(*, size_bytes=10, interval_seconds=60.0, most_weight=None):
    return Buffer(Hints(size_bytes, interval_seconds), most_weight=most_weight)


def a_part(number=1, data=b"x"):
    return Part(number, 1000, data)


def test_an_empty_buffer_is_never_due():
    assert a_buffer().due_at() is None


def test_a_buffer_is_due_when_its_oldest_entry_reaches_the_interval():
    # AWS: BufferingHints, whichever is reached first
    buffer = a_buffer()

    buffer.add("a", size=1, now=100.0)
    buffer.add("b", size=1, now=130.0)

    assert buffer.due_at() == 160.0


def test_a_buffer_is_due_at_once_when_it_reaches_its_size():
    # AWS: BufferingHints, whichever is reached first
    buffer = a_buffer()

    buffer.add("a", size=10, now=100.0)

    assert buffer.due_at() == DUE_NOW


def test_an_interval_of_zero_delivers_as_soon_as_there_is_something():
    # AWS: IntervalInSeconds 0 to 900
    buffer = a_buffer(interval_seconds=0)

    buffer.add("a", size=1, now=100.0)

    assert buffer.due_at() == 100.0


def test_a_take_ends_with_the_entry_that_reaches_the_size_and_leaves_the_rest():
    buffer = a_buffer()
    for name in "abc":
        buffer.add(name, size=6, now=100.0)

    taken = buffer.take()

    assert (taken, buffer.due_at()) == (["a", "b"], 160.0)


def test_a_take_weighs_no_more_than_allowed():
    # AWS: a transform request has at most 6 MB, base64 and JSON included
    buffer = a_buffer(size_bytes=1000, most_weight=10)
    for name in "abc":
        buffer.add(name, size=1, now=100.0, weight=4)

    assert (buffer.due_at(), buffer.take(), buffer.take()) == (DUE_NOW, ["a", "b"], ["c"])


def test_an_entry_that_alone_weighs_too_much_is_taken_alone():
    buffer = a_buffer(most_weight=10)
    buffer.add("heavy", size=1, now=100.0, weight=50)
    buffer.add("light", size=1, now=100.0, weight=1)

    assert (buffer.take(), buffer.take()) == (["heavy"], ["light"])


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20))), st.integers(1, 30), st.integers(1, 30))
def test_whatever_was_added_is_taken_once_and_in_order(entries, size_bytes, most_weight):
    buffer = a_buffer(size_bytes=size_bytes, most_weight=most_weight)
    for number, (size, weight) in enumerate(entries):
        buffer.add(number, size=size, now=0.0, weight=weight)

    takes = []
    while buffer.due_at() is not None:
        takes.append(buffer.take())

    assert [number for take in takes for number in take] == list(range(len(entries)))
    assert all(len(take) == 1 or sum(entries[n][1] for n in take) <= most_weight for take in takes)


def test_a_held_shipment_is_taken_when_its_time_has_come_and_not_before():
    outbox = Outbox(Hints(10, 60))
    held = Shipment((a_part(),), attempts=1)
    outbox.hold(held, until=200.0)

    early = outbox.take(now=199.0, flushing=True)
    due = outbox.due_at(flushing=True)
    late = outbox.take(now=200.0, flushing=False)

    assert (early, due, late, outbox.due_at(flushing=True)) == (None, 200.0, held, None)


def test_a_flush_makes_what_is_buffered_due_at_once():
    outbox = Outbox(Hints(10, 60))
    outbox.add([a_part()], now=100.0)

    assert (outbox.due_at(flushing=False), outbox.due_at(flushing=True)) == (160.0, DUE_NOW)
    assert outbox.take(now=100.0, flushing=False) is None
    assert outbox.take(now=100.0, flushing=True) == Shipment((a_part(),))
