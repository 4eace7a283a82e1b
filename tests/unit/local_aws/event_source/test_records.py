import json
from datetime import UTC, datetime

from local_aws.event_source.records import event_bytes, event_of, from_stream

ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2026-01-05T10:00:00.000"


def a_stream_record(**changes):
    """Build a record as boto3 returns it from GetRecords."""
    record = {
        "eventID": "5f0c2a7be1d94c0c8f3b7f6f2f1d9a10",
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": datetime(2026, 1, 5, 10, 0, 0, 700_000, tzinfo=UTC),
            "Keys": {"pk": {"S": "order#17"}},
            "NewImage": {"pk": {"S": "order#17"}, "qty": {"N": "2"}},
            "OldImage": {"pk": {"S": "order#17"}, "qty": {"N": "1"}},
            "SequenceNumber": "000003950500000000007790329561",
            "SizeBytes": 71,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }
    return {**record, **changes}


def test_the_event_has_the_shape_that_lambda_gives_it():
    record = from_stream(a_stream_record(), stream_arn=ARN)

    assert event_of([record]) == {
        "Records": [
            {
                "eventID": "5f0c2a7be1d94c0c8f3b7f6f2f1d9a10",
                "eventName": "MODIFY",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "eu-west-1",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1767607200,
                    "Keys": {"pk": {"S": "order#17"}},
                    "NewImage": {"pk": {"S": "order#17"}, "qty": {"N": "2"}},
                    "OldImage": {"pk": {"S": "order#17"}, "qty": {"N": "1"}},
                    "SequenceNumber": "000003950500000000007790329561",
                    "SizeBytes": 71,
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
                "eventSourceARN": ARN,
            }
        ]
    }


def test_an_image_that_the_stream_does_not_have_is_absent():
    change = {**a_stream_record()["dynamodb"]}
    del change["NewImage"], change["OldImage"]

    event = from_stream(a_stream_record(eventName="REMOVE", dynamodb=change), stream_arn=ARN).event

    assert event["dynamodb"].keys() == change.keys()


def test_bytes_are_base64_text_in_the_event_however_deep_they_lie():
    image = {
        "b": {"B": b"\x00\x01\x02"},
        "bs": {"BS": [b"\x00", b"\x01"]},
        "deep": {"M": {"list": {"L": [{"B": b"\xff"}, {"M": {"set": {"BS": [b"\xfe"]}}}]}}},
        "others": {"L": [{"S": "é"}, {"N": "-12.50"}, {"BOOL": True}, {"NULL": True}, {"SS": ["a"]}, {"NS": ["1"]}]},
    }
    change = {**a_stream_record()["dynamodb"], "NewImage": image}

    event = from_stream(a_stream_record(dynamodb=change), stream_arn=ARN).event

    assert event["dynamodb"]["NewImage"] == {
        "b": {"B": "AAEC"},
        "bs": {"BS": ["AA==", "AQ=="]},
        "deep": {"M": {"list": {"L": [{"B": "/w=="}, {"M": {"set": {"BS": ["/g=="]}}}]}}},
        "others": image["others"],
    }


def test_the_identity_of_a_ttl_delete_has_lower_case_names_in_the_event():
    identity = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}

    event = from_stream(a_stream_record(userIdentity=identity), stream_arn=ARN).event

    assert event["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def test_records_of_one_item_have_one_item_number_whatever_the_order_of_its_keys():
    first = {**a_stream_record()["dynamodb"], "Keys": {"pk": {"S": "a"}, "sk": {"B": b"\x00"}}}
    second = {**first, "Keys": {"sk": {"B": b"\x00"}, "pk": {"S": "a"}}, "SequenceNumber": "2"}
    other = {**first, "Keys": {"pk": {"S": "b"}, "sk": {"B": b"\x00"}}}

    items = [from_stream(a_stream_record(dynamodb=d), stream_arn=ARN).item for d in (first, second, other)]

    assert items[0] == items[1] != items[2]


def test_the_size_of_an_event_is_counted_as_it_is_sent():
    change = {**a_stream_record()["dynamodb"], "NewImage": {"text": {"S": "é€"}}}
    records = [from_stream(a_stream_record(dynamodb=change), stream_arn=ARN) for _ in range(3)]

    size = event_bytes(3, sum(record.size_bytes for record in records))

    assert size == len(json.dumps(event_of(records), ensure_ascii=False, separators=(",", ":")).encode())
