"""Every shape of event that announces objects, and those that do not."""

import json

import pytest

from aurora_loader.events import Announcement, EventShapeError, announcements_in
from ddb2aurora.database.ledger import ObjectRef


def an_s3_record(*, key="processed/a.csv", name="ObjectCreated:Put", **entry):
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventName": name,
        "s3": {
            "bucket": {"name": "my-bkt"},
            "object": {"key": key, "size": 10, "eTag": "e1", "sequencer": "0055AED6DCD90281E5", **entry},
        },
    }


def an_s3_event(*records):
    return {"Records": list(records or [an_s3_record()])}


def a_message(body, message_id="m1"):
    text = body if isinstance(body, str) else json.dumps(body)
    return {"messageId": message_id, "eventSource": "aws:sqs", "body": text, "attributes": {}}


def an_event_bridge_event(*, key="processed/a.csv", detail_type="Object Created"):
    return {
        "version": "0",
        "detail-type": detail_type,
        "source": "aws.s3",
        "region": "eu-west-1",
        "detail": {
            "bucket": {"name": "my-bkt"},
            "object": {"key": key, "size": 10, "etag": "e1", "version-id": "v1"},
            "reason": "PutObject",
        },
    }


AN_OBJECT = ObjectRef("my-bkt", "processed/a.csv", version=None, etag="e1", size=10, region="eu-west-1")
A_TEST_EVENT = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "my-bkt"}


def test_an_event_of_s3_itself_is_read():
    event = an_s3_event(an_s3_record(versionId="v1"), an_s3_record(key="b"))

    found = announcements_in(event)

    objects = (
        ObjectRef("my-bkt", "processed/a.csv", version="v1", etag="e1", size=10, region="eu-west-1"),
        ObjectRef("my-bkt", "b", version=None, etag="e1", size=10, region="eu-west-1"),
    )
    assert found == (Announcement(objects),)


def test_keys_of_s3_are_decoded_as_a_form_and_those_of_event_bridge_are_not():
    encoded = "dt%3D2026/a+b%2Bc%C3%A9.csv"

    ((from_s3,),) = [found.objects for found in announcements_in(an_s3_event(an_s3_record(key=encoded)))]
    ((from_event_bridge,),) = [found.objects for found in announcements_in(an_event_bridge_event(key=encoded))]

    assert from_s3.key == "dt=2026/a b+cé.csv"
    assert from_event_bridge.key == encoded


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("ObjectCreated:Put", 1),
        ("ObjectCreated:CompleteMultipartUpload", 1),
        ("ObjectCreated:Copy", 1),
        ("ObjectRemoved:Delete", 0),
        ("ObjectRestore:Completed", 0),
    ],
)
def test_only_what_was_created_is_announced(name, counted):
    (found,) = announcements_in(an_s3_event(an_s3_record(name=name)))

    assert len(found.objects) == counted


def test_messages_of_a_queue_are_read_one_by_one():
    in_topic = {"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(an_s3_event())}
    event = {
        "Records": [
            a_message(an_s3_event(), "plain"),
            a_message(in_topic, "sns"),
            a_message(an_event_bridge_event(), "bridge"),
            a_message(A_TEST_EVENT, "test"),
        ]
    }

    found = announcements_in(event)

    bridged = ObjectRef("my-bkt", "processed/a.csv", version="v1", etag="e1", size=10, region="eu-west-1")
    assert found == (
        Announcement((AN_OBJECT,), "plain"),
        Announcement((AN_OBJECT,), "sns"),
        Announcement((bridged,), "bridge"),
        Announcement((), "test"),
    )


@pytest.mark.parametrize("body", ["no json", "[]", "{}", '{"Records": [{"eventSource": "aws:s3"}]}', '{"Records": 3}'])
def test_a_message_that_cannot_be_read_does_not_hide_the_others(body):
    event = {"Records": [a_message(body, "bad"), a_message(an_s3_event(), "good")]}

    bad, good = announcements_in(event)

    assert (bad.message_id, bad.objects, type(bad.error)) == ("bad", (), EventShapeError)
    assert good == Announcement((AN_OBJECT,), "good")


@pytest.mark.parametrize("event", [A_TEST_EVENT, an_event_bridge_event(detail_type="Object Deleted"), {"Records": []}])
def test_events_that_announce_nothing_are_no_mistake(event):
    assert announcements_in(event) == (Announcement(()),)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Records": [{"eventSource": "aws:dynamodb"}]},
        {"Records": [a_message(an_s3_event()), an_s3_record()]},
        {"Records": ["text"]},
        {"source": "aws.s3", "detail-type": "Object Created"},
    ],
)
def test_an_event_of_no_known_shape_is_an_error_that_says_what_to_connect(event):
    with pytest.raises(EventShapeError, match="connect this function to S3"):
        announcements_in(event)
