"""Objects given to the loader, some at a time."""

import threading

import pytest

from ddb2aurora.database.ledger import ObjectRef
from operator_cli.aws import AwsCallError, AwsSetUpError
from operator_cli.invoking import FunctionFailedError
from operator_cli.loading import Failure, load_objects
from operator_cli.sweeping import announcement_of


def refs(*names):
    return [ObjectRef("bucket", name, etag="e", size=10) for name in names]


def load(names, loader, *, concurrency=1, time_is_up=lambda: False):
    told = []
    loads = load_objects(
        refs(*names),
        load=loader,
        concurrency=concurrency,
        told=lambda ref, failure: told.append((ref.key, failure is None)),
        time_is_up=time_is_up,
    )
    return loads, told


def key_in(event):
    return event["Records"][0]["s3"]["object"]["key"]


def test_each_object_is_announced_to_the_loader_as_s3_would():
    events = []

    loads, told = load("ab", events.append)

    assert events == [announcement_of(ref) for ref in refs("a", "b")]
    assert (loads.loaded, loads.loaded_bytes, loads.named) == (2, 20, ["s3://bucket/a", "s3://bucket/b"])
    assert told == [("a", True), ("b", True)]


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (FunctionFailedError("loader", "ShapeError", "another shape"), ("ShapeError", "another shape")),
        (AwsCallError("it took too long"), ("AwsCallError", "it took too long")),
    ],
)
def test_one_that_fails_is_named_with_the_loader_s_reason_and_the_others_go_on(error, failure):
    def loader(event):
        if key_in(event) == "b":
            raise error

    loads, told = load("abc", loader)

    assert (loads.loaded, loads.failed, loads.complete) == (2, 1, True)
    assert loads.failures == [Failure("s3://bucket/b", *failure)]
    assert told == [("a", True), ("b", False), ("c", True)]


def test_a_loader_that_nobody_may_call_stops_the_work():
    def loader(_event):
        raise AwsSetUpError("no such function")

    with pytest.raises(AwsSetUpError):
        load("abc", loader)


def test_as_many_as_allowed_are_loaded_at_the_same_time_and_no_more():
    meeting = threading.Barrier(3, timeout=10)
    running, most = [], []
    lock = threading.Lock()

    def loader(event):
        with lock:
            running.append(key_in(event))
            most.append(len(running))
        meeting.wait()
        with lock:
            running.remove(key_in(event))

    loads, _ = load("abcdef", loader, concurrency=3)

    assert (loads.loaded, max(most)) == (6, 3)


def test_when_the_time_is_up_no_further_one_is_begun():
    begun = []

    loads, _ = load("abc", begun.append, time_is_up=lambda: len(begun) > 0)

    assert (len(begun), loads.loaded, loads.complete) == (1, 1, False)


def test_when_all_of_the_first_fail_the_rest_is_left():
    tried = []

    def loader(event):
        tried.append(event)
        raise FunctionFailedError("loader", "LoadFailedError", "the database is down")

    loads, _ = load([f"{number}" for number in range(50)], loader)

    assert (len(tried), loads.failed, loads.complete, loads.hopeless) == (20, 20, False, True)


def test_failures_after_a_success_are_no_reason_to_give_up():
    def loader(event):
        if key_in(event) != "0":
            raise FunctionFailedError("loader", "ShapeError", "another shape")

    loads, _ = load([f"{number}" for number in range(50)], loader)

    assert (loads.loaded, loads.failed, loads.complete) == (1, 49, True)
