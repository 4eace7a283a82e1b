import json

import pytest

from local_aws.notifications.messages import UnknownMessageError, events_in


def test_each_record_is_an_event_of_its_own_and_is_left_as_it_is():
    body = json.dumps({"Records": [{"s3": {"object": {"key": "a+b%2Bc"}}}, {"s3": {}}]})

    assert events_in(body) == ({"Records": [{"s3": {"object": {"key": "a+b%2Bc"}}}]}, {"Records": [{"s3": {}}]})


def test_the_test_event_is_not_for_functions():
    body = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "my-bkt"})

    assert events_in(body) == ()


@pytest.mark.parametrize("body", ["not json", "[]", "{}", '{"Records": 1}'])
def test_a_message_that_s3_does_not_send_is_an_error(body):
    with pytest.raises(UnknownMessageError):
        events_in(body)
