import socket
import threading

import pytest

from local_aws.runtime import frames


@pytest.fixture
def ends():
    left, right = socket.socketpair()
    with left, right:
        yield left, right


@pytest.mark.parametrize("size", [0, 1, 3 * 1024 * 1024])
def test_a_message_arrives_as_it_was_sent(ends, size):
    left, right = ends
    body = b"x" * size
    sender = threading.Thread(target=frames.send, args=(left, {"a": "é"}, body))
    sender.start()

    received = frames.receive(right)

    sender.join()
    assert received == ({"a": "é"}, body)


def test_a_closed_end_is_an_error_on_both_sides(ends):
    left, right = ends
    left.close()

    with pytest.raises(frames.ClosedError):
        frames.receive(right)
    with pytest.raises(frames.ClosedError):
        frames.send(right, {})


def test_waiting_ends_at_the_deadline(ends):
    with pytest.raises(TimeoutError):
        frames.receive(ends[1], deadline=10, clock=lambda: 10)
