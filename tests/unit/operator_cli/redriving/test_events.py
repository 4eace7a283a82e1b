import json

import pytest
from builders import a_pipeline

from operator_cli.redriving.events import FailedEvents, event_in, keys_in
from operator_cli.redriving.tally import Circuit, Tally


def an_event(key: str = "processed/things/a%2Bb.csv") -> dict:
    return {"Records": [{"s3": {"object": {"key": key}}}]}


class AQueue:
    """A queue whose messages are hidden until they are shown again."""

    def __init__(self, *bodies: str, hidden: int = 0) -> None:
        self.waiting = [
            {"MessageId": str(number), "ReceiptHandle": str(number), "Body": body} for number, body in enumerate(bodies)
        ]
        self.hidden = hidden
        self.deleted = []
        self.shown = []

    def get_queue_attributes(self, **_):
        counts = {
            "ApproximateNumberOfMessages": len(self.waiting),
            "ApproximateNumberOfMessagesNotVisible": self.hidden,
        }
        return {"Attributes": {name: str(count) for name, count in counts.items()}}

    def receive_message(self, **_):
        received, self.waiting = self.waiting[:10], self.waiting[10:]
        return {"Messages": received} if received else {}

    def delete_message(self, **call):
        self.deleted.append(call["ReceiptHandle"])

    def change_message_visibility(self, **call):
        self.shown.append(call["ReceiptHandle"])


def redrive(queue, *, dry=False, limit=None):
    tally, loaded = Tally("events"), []
    events = FailedEvents(queue, queue_url="url", pipeline=a_pipeline(), loader=loaded.append)
    events.redrive(tally, Circuit(most=0.5), dry=dry, limit=limit)
    return tally, loaded


def test_the_event_inside_the_message_is_loaded_and_the_message_deleted():
    queue = AQueue(json.dumps({"requestPayload": an_event()}))

    tally, loaded = redrive(queue)

    assert (loaded, queue.deleted, queue.shown, tally.redriven) == ([an_event()], ["0"], [], 1)


def test_a_message_of_a_dead_letter_queue_is_the_event_itself():
    assert redrive(AQueue(json.dumps(an_event())))[1] == [an_event()]


@pytest.mark.parametrize("dry", [True, False])
def test_messages_that_somebody_else_holds_are_left(dry):
    queue = AQueue(json.dumps(an_event()), json.dumps(an_event("processed/others/a.csv")), hidden=9)

    tally, _ = redrive(queue, dry=dry)

    assert (tally.redriven, tally.hidden, tally.left, tally.examined) == (1, 9, 9, 10)


def test_what_the_limit_leaves_is_not_taken_for_hidden():
    tally, _ = redrive(AQueue(*[json.dumps(an_event())] * 3), limit=1)

    assert (tally.redriven, tally.hidden, tally.left) == (1, 0, 0)


def test_events_of_other_pipelines_go_back_at_once():
    queue = AQueue(json.dumps(an_event("processed/others/a.csv")))

    tally, loaded = redrive(queue)

    assert (loaded, queue.deleted, queue.shown, tally.kept_in) == ([], [], ["0"], 0)


def test_a_message_without_an_event_stays_and_is_counted():
    queue = AQueue("nonsense", json.dumps({"Records": []}))

    tally, _ = redrive(queue)

    assert (dict(tally.reasons), queue.deleted, queue.shown) == ({"not_an_event": 2}, [], ["0", "1"])


def test_messages_that_the_limit_leaves_are_shown_again_at_once():
    queue = AQueue(*[json.dumps(an_event())] * 3)

    tally, loaded = redrive(queue, limit=1)

    assert (len(loaded), queue.deleted, queue.shown, tally.redriven) == (1, ["0"], ["1", "2"], 1)


def test_a_dry_run_shows_every_message_again():
    queue = AQueue(*[json.dumps(an_event())] * 2)

    tally, loaded = redrive(queue, dry=True)

    assert (loaded, queue.deleted, queue.shown, tally.redriven) == ([], [], ["0", "1"], 2)


@pytest.mark.parametrize("body", ["", "[]", "7", '{"requestPayload": []}'])
def test_a_body_that_holds_no_event_has_none(body):
    assert event_in(body)[0] is None


def test_what_is_told_is_the_error_or_else_the_condition():
    failed = {"requestPayload": {}, "requestContext": {"condition": "EventAgeExceeded"}}
    raised = {**failed, "responsePayload": {"errorMessage": "why"}}

    assert (event_in(json.dumps(failed))[1], event_in(json.dumps(raised))[1]) == ("EventAgeExceeded", "why")


def test_keys_are_decoded_as_s3_encodes_them():
    assert keys_in(an_event("a+b%2Bc")) == ("a b+c",)
    assert keys_in({"Records": [{"s3": None}]}) == ()
