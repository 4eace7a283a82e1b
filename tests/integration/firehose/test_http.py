import json
from contextlib import closing
from http.client import HTTPConnection
from threading import Barrier

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from local_aws.faults import Faults


def records(*datas):
    return [{"Data": data} for data in datas]


def sent(server, method, path, **request):
    """Return the status and the JSON that answer a request."""
    with closing(HTTPConnection(server.url.removeprefix("http://"))) as connection:
        connection.request(method, path, **request)
        with connection.getresponse() as response:
            return response.status, json.load(response)


def code_of(call, **arguments):
    """Return the code and the HTTP status that refuse a call."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def without_metadata(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_records_that_the_sdk_puts_are_transformed_and_delivered(make):
    s3 = make.s3()
    server = make.server(s3=s3)
    client = make.client(server.url)
    client.create_delivery_stream(
        DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=make.destination(transform=True)
    )

    batch = client.put_record_batch(DeliveryStreamName="changes", Records=records(b"one\n", b"two\n"))
    single = client.put_record(DeliveryStreamName="changes", Record={"Data": b"three\n"})
    flushed = server.flush(timeout_seconds=20)

    assert (batch["FailedPutCount"], len(batch["RequestResponses"]), single["Encrypted"]) == (0, 2, False)
    assert (flushed, server.drained) == (True, True)
    assert sorted(b"".join(s3.objects.values()).splitlines()) == [b"ONE", b"THREE", b"TWO"]


def test_an_interval_of_zero_delivers_without_being_asked(make):
    # AWS: IntervalInSeconds 0 delivers within seconds
    s3 = make.s3()
    server = make.server(s3=s3)
    client = make.client(server.url)
    client.create_delivery_stream(
        DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=make.destination(seconds=0, transform=True)
    )

    client.put_record_batch(DeliveryStreamName="changes", Records=records(b"one"))

    assert s3.wait_for(1) == [b"ONE"]


def test_an_interval_of_a_second_delivers_after_a_second(make):
    s3 = make.s3()
    server = make.server(s3=s3)
    client = make.client(server.url)
    client.create_delivery_stream(
        DeliveryStreamName="changes",
        ExtendedS3DestinationConfiguration=make.destination(seconds=1, transform=True, transform_seconds=1),
    )

    client.put_record_batch(DeliveryStreamName="changes", Records=records(b"one"))
    client.put_record_batch(DeliveryStreamName="changes", Records=records(b"two"))

    assert s3.wait_for(1) == [b"ONETWO"]


def test_five_batches_are_transformed_at_once(make):
    # AWS: up to five transform invocations are outstanding per shard
    meeting = Barrier(5)
    server = make.server(s3=make.s3(), function=make.function(lambda: meeting.wait(timeout=20)))
    client = make.client(server.url)
    client.create_delivery_stream(
        DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=make.destination(transform=True)
    )

    client.put_record_batch(DeliveryStreamName="changes", Records=records(*[b"x" * 210_000] * 5))

    assert server.flush(timeout_seconds=20)
    assert server.statistics()["changes"].transformed == 5


def test_refusals_reach_the_sdk_with_awss_codes(make):
    # AWS: errors of the Firehose API reference
    server = make.server(s3=make.s3())
    client = make.client(server.url)
    settings = make.destination()
    client.create_delivery_stream(DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=settings)

    codes = [
        code_of(client.describe_delivery_stream, DeliveryStreamName="other"),
        code_of(client.put_record_batch, DeliveryStreamName="other", Records=records(b"x")),
        code_of(client.put_record_batch, DeliveryStreamName="changes", Records=records(*[b"x"] * 501)),
        code_of(
            client.create_delivery_stream, DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=settings
        ),
        code_of(client.start_delivery_stream_encryption, DeliveryStreamName="changes"),
    ]

    assert codes == [
        ("ResourceNotFoundException", 400),
        ("ResourceNotFoundException", 400),
        ("InvalidArgumentException", 400),
        ("ResourceInUseException", 400),
        ("UnknownOperationException", 400),
    ]


def test_the_sdk_understands_the_description_and_the_lists(make):
    server = make.server(s3=make.s3(), account="111122223333", region="eu-west-1")
    client = make.client(server.url)
    client.create_delivery_stream(
        DeliveryStreamName="changes",
        ExtendedS3DestinationConfiguration=make.destination(transform=True),
        Tags=[{"Key": "team", "Value": "data"}],
    )

    description = client.describe_delivery_stream(DeliveryStreamName="changes")["DeliveryStreamDescription"]
    client.update_destination(
        DeliveryStreamName="changes",
        CurrentDeliveryStreamVersionId=description["VersionId"],
        DestinationId=description["Destinations"][0]["DestinationId"],
        ExtendedS3DestinationUpdate={"Prefix": "new/"},
    )
    updated = client.describe_delivery_stream(DeliveryStreamName="changes")["DeliveryStreamDescription"]

    arn = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/changes"
    assert (description["DeliveryStreamARN"], description["DeliveryStreamStatus"]) == (arn, "ACTIVE")
    assert (description["VersionId"], updated["VersionId"]) == ("1", "2")
    assert updated["LastUpdateTimestamp"] >= updated["CreateTimestamp"] == description["CreateTimestamp"]
    assert without_metadata(client.list_delivery_streams()) == {
        "DeliveryStreamNames": ["changes"],
        "HasMoreDeliveryStreams": False,
    }
    assert without_metadata(client.list_tags_for_delivery_stream(DeliveryStreamName="changes")) == {
        "Tags": [{"Key": "team", "Value": "data"}],
        "HasMoreTags": False,
    }


def test_a_throttled_call_fails_with_a_code_that_the_sdk_retries(make):
    # AWS: ServiceUnavailableException, back off and retry
    server = make.server(s3=make.s3(), faults=Faults(seed=1, rates={"firehose.throttle_call": 0.5}))
    client = make.client(server.url, attempts=3)
    client.create_delivery_stream(DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=make.destination())

    attempts = [
        client.put_record_batch(DeliveryStreamName="changes", Records=records(b"x"))["ResponseMetadata"][
            "RetryAttempts"
        ]
        for _ in range(2)
    ]

    assert (attempts, server.waiting) == ([1, 0], 2)


def test_a_lost_answer_is_a_connection_error_and_the_records_are_accepted(make):
    # AWS: a call without an answer may have been accepted, so a retry can duplicate
    server = make.server(s3=make.s3(), faults=Faults(rates={"firehose.lose_answer": 1}))
    client = make.client(server.url)
    client.create_delivery_stream(DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=make.destination())

    with pytest.raises(ConnectionClosedError):
        client.put_record_batch(DeliveryStreamName="changes", Records=records(b"one", b"two"))

    assert server.waiting == 2


def test_the_api_answers_while_s3_is_away_and_delivers_when_it_is_back(make):
    # AWS: S3 unreachable is retried for 24 hours
    s3 = make.s3()
    s3.away = True
    server = make.server(s3=s3)
    client = make.client(server.url)
    client.create_delivery_stream(
        DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=make.destination(seconds=0)
    )
    client.put_record_batch(DeliveryStreamName="changes", Records=records(b"one"))

    flushed = server.flush(timeout_seconds=0.1)
    description = client.describe_delivery_stream(DeliveryStreamName="changes")["DeliveryStreamDescription"]
    s3.away = False

    assert (flushed, description["DeliveryStreamStatus"]) == (False, "ACTIVE")
    assert s3.wait_for(1) == [b"one"]


def test_health_tells_what_waits_and_what_was_counted(make):
    server = make.server(s3=make.s3())
    client = make.client(server.url)
    client.create_delivery_stream(DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=make.destination())
    client.put_record_batch(DeliveryStreamName="changes", Records=records(b"one", b"two"))

    _, health = sent(server, "GET", "/health")

    counts = health["streams"].pop("changes")
    assert health == {"status": "ok", "waiting": 2, "streams": {}}
    assert (counts["waiting"], counts["records_in"], counts["bytes_in"]) == (2, 2, 6)


@pytest.mark.parametrize(
    ("target", "code"),
    [("", "UnknownOperationException"), ("Firehose_20150804.ListDeliveryStreams", "SerializationException")],
)
def test_a_request_that_no_sdk_sends_is_refused(make, target, code):
    server = make.server(s3=make.s3())

    status, answer = sent(server, "POST", "/", body=b"{", headers={"X-Amz-Target": target})

    assert (status, answer["__type"]) == (400, code)


def test_a_deleted_stream_can_be_made_again(make):
    server = make.server(s3=make.s3())
    client = make.client(server.url)
    for _ in range(2):
        client.create_delivery_stream(
            DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=make.destination()
        )
        client.delete_delivery_stream(DeliveryStreamName="changes")

    assert client.list_delivery_streams()["DeliveryStreamNames"] == []


def test_stopping_delivers_what_waits_when_it_is_given_the_time(make):
    s3 = make.s3()
    server = make.server(s3=s3)
    client = make.client(server.url)
    client.create_delivery_stream(
        DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=make.destination(transform=True)
    )
    client.put_record_batch(DeliveryStreamName="changes", Records=records(b"one"))

    drained = server.stop(flush_seconds=20)

    assert (drained, list(s3.objects.values())) == (True, [b"ONE"])


def test_random_strings_differ_from_object_to_object(make):
    # AWS: random-string has 11 characters, new ones each time
    s3 = make.s3()
    server = make.server(s3=s3)
    client = make.client(server.url)
    client.create_delivery_stream(
        DeliveryStreamName="changes",
        ExtendedS3DestinationConfiguration=make.destination(Prefix="!{firehose:random-string}/"),
    )
    for _ in range(2):
        client.put_record_batch(DeliveryStreamName="changes", Records=records(b"x"))
        server.flush(timeout_seconds=20)

    assert [len({key.split("/")[0] for key in s3.objects}), *(len(key.split("/")[0]) for key in s3.objects)] == [
        2,
        11,
        11,
    ]


def test_a_port_that_is_taken_is_an_error_at_the_start(make):
    server = make.server(s3=make.s3())
    port = int(server.url.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"):
        make.server(s3=make.s3(), port=port)


def test_who_calls_what_is_logged_once(make, caplog):
    caplog.set_level("INFO", logger="local_aws.firehose.api")
    client = make.client(make.server(s3=make.s3()).url)
    client.create_delivery_stream(DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=make.destination())
    key = client._request_signer._credentials.access_key

    for _ in range(2):
        client.put_record(DeliveryStreamName="changes", Record={"Data": b"one\n"})

    assert [record.getMessage() for record in caplog.records if record.name == "local_aws.firehose.api"] == [
        f"CreateDeliveryStream by {key}",
        f"PutRecord by {key}",
    ]
