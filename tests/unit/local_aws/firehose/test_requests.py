import json

import pytest

from local_aws.faults import NO_FAULTS, Faults
from local_aws.firehose.engine import Engine
from local_aws.firehose.errors import (
    ConcurrentModificationError,
    InvalidArgumentError,
    LimitExceededError,
    ResourceInUseError,
    ResourceNotFoundError,
    SerializationError,
    ServiceUnavailableError,
    UnknownOperationError,
)
from local_aws.firehose.operations import DESTINATION_ID, perform
from local_aws.firehose.puts import put_record, put_record_batch


@pytest.fixture
def engine(world):
    engine = Engine(world.services)
    yield engine
    engine.stop()


@pytest.fixture
def ready(engine, make):
    """An engine that has the stream `changes`."""
    engine.create("changes", settings=make.settings(), tags={})
    return engine


@pytest.fixture
def call(ready):
    """Perform an operation on the stream `changes`, with members added or replaced."""
    return lambda operation, **members: perform(ready, operation, {"DeliveryStreamName": "changes"} | members)


def a_batch(make, *datas, stream="changes"):
    records = [{"Data": data} for data in make.encoded(*datas)]
    return json.dumps({"DeliveryStreamName": stream, "Records": records}).encode()


def test_a_batch_is_answered_record_by_record_in_order(ready, make):
    # AWS: PutRecordBatch, the answer has the length and order of the request
    answer = put_record_batch(ready, a_batch(make, b"one", b"two"), faults=NO_FAULTS)

    ids = [entry.pop("RecordId") for entry in answer["RequestResponses"]]
    assert answer == {"FailedPutCount": 0, "Encrypted": False, "RequestResponses": [{}, {}]}
    assert (len(set(ids)), ready.waiting) == (2, 2)


def test_a_batch_of_500_records_is_accepted_and_of_501_or_none_is_refused(ready, make):
    # AWS: Firehose quotas, 1 to 500 records a call
    put_record_batch(ready, a_batch(make, *[b"x"] * 500), faults=NO_FAULTS)

    for count in (501, 0):
        with pytest.raises(InvalidArgumentError):
            put_record_batch(ready, a_batch(make, *[b"x"] * count), faults=NO_FAULTS)

    assert ready.waiting == 500


def test_a_record_of_1000_kib_is_accepted_and_a_byte_more_is_refused(ready, make):
    # AWS: Firehose quotas, 1,000 KiB a record before base64
    put_record_batch(ready, a_batch(make, b"x" * 1_024_000), faults=NO_FAULTS)

    with pytest.raises(InvalidArgumentError):
        put_record_batch(ready, a_batch(make, b"x" * 1_024_001), faults=NO_FAULTS)

    assert ready.waiting == 1


def test_a_call_of_4_mib_is_accepted_and_a_byte_more_is_refused(ready, make):
    # AWS: Firehose quotas, 4 MiB a call
    quarters = [b"x" * 838_860] * 5
    put_record_batch(ready, a_batch(make, *quarters, b"x" * 4), faults=NO_FAULTS)

    with pytest.raises(InvalidArgumentError):
        put_record_batch(ready, a_batch(make, *quarters, b"x" * 5), faults=NO_FAULTS)

    assert ready.waiting == 6


def test_a_record_of_no_bytes_is_accepted(ready):
    # AWS: Data has 0 to 1,024,000 bytes
    body = json.dumps({"DeliveryStreamName": "changes", "Record": {"Data": ""}}).encode()

    answer = put_record(ready, body, faults=NO_FAULTS)

    assert (sorted(answer), ready.waiting) == (["Encrypted", "RecordId"], 1)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(b"{", SerializationError, id="not JSON"),
        pytest.param(b"[]", SerializationError, id="not an object"),
        pytest.param(b'{"DeliveryStreamName":"changes","Records":[{"Data":"?"}]}', SerializationError, id="no base64"),
        pytest.param(b'{"DeliveryStreamName":1,"Records":[]}', SerializationError, id="a name that is a number"),
        pytest.param(b'{"Records":[{"Data":""}]}', InvalidArgumentError, id="no name"),
        pytest.param(b'{"DeliveryStreamName":"changes","Records":[{}]}', InvalidArgumentError, id="no data"),
    ],
)
def test_a_malformed_batch_is_refused(ready, body, error):
    with pytest.raises(error):
        put_record_batch(ready, body, faults=NO_FAULTS)


def test_a_batch_for_an_unknown_stream_is_refused(engine, make):
    # AWS answers with ResourceNotFoundException
    with pytest.raises(ResourceNotFoundError):
        put_record_batch(engine, a_batch(make, b"x"), faults=NO_FAULTS)


def test_a_throttled_call_accepts_nothing(ready, make):
    # AWS answers with ServiceUnavailableException
    with pytest.raises(ServiceUnavailableError):
        put_record_batch(ready, a_batch(make, b"x"), faults=Faults(rates={"firehose.throttle_call": 1}))

    assert ready.waiting == 0


def test_refused_records_have_an_error_code_in_an_answer_that_succeeds(make):
    # AWS: FailedPutCount above 0 comes with HTTP 200
    world = make.world(Faults(rates={"firehose.refuse_record": 1}))
    engine = Engine(world.services)
    engine.create("changes", settings=make.settings(), tags={})

    answer = put_record_batch(engine, a_batch(make, b"x"), faults=NO_FAULTS)
    engine.stop()

    refusal = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
    assert answer == {"FailedPutCount": 1, "Encrypted": False, "RequestResponses": [refusal]}


def test_a_single_record_that_is_refused_is_a_call_that_is_refused(make):
    # AWS: PutRecord answers with ServiceUnavailableException
    world = make.world(Faults(rates={"firehose.refuse_record": 1}))
    engine = Engine(world.services)
    engine.create("changes", settings=make.settings(), tags={})
    body = json.dumps({"DeliveryStreamName": "changes", "Record": {"Data": ""}}).encode()

    with pytest.raises(ServiceUnavailableError):
        put_record(engine, body, faults=NO_FAULTS)

    engine.stop()


def test_a_name_can_be_used_once(call, make):
    # AWS answers with ResourceInUseException
    with pytest.raises(ResourceInUseError):
        call("CreateDeliveryStream", ExtendedS3DestinationConfiguration=make.settings())


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"DeliveryStreamName": "a" * 65}, id="AWS: a name has 64 characters at most"),
        pytest.param({"DeliveryStreamName": "a b"}, id="AWS: a name has letters, digits, _ . and -"),
        pytest.param({"DeliveryStreamType": "KinesisStreamAsSource"}, id="another source"),
        pytest.param({"DirectPutSourceConfiguration": {"ThroughputHintInMBs": 1}}, id="a throughput hint"),
        pytest.param({"ExtendedS3DestinationConfiguration": None}, id="no destination"),
        pytest.param({"Surprise": 1}, id="a member that Firehose does not have"),
        pytest.param({"Tags": []}, id="AWS: 1 to 50 tags"),
    ],
)
def test_a_stream_that_aws_or_the_stand_in_cannot_make_is_refused(engine, make, members):
    request = {"DeliveryStreamName": "new", "ExtendedS3DestinationConfiguration": make.settings()} | members

    with pytest.raises(InvalidArgumentError):
        perform(engine, "CreateDeliveryStream", request)

    assert engine.names() == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"BufferingHints": {"SizeInMBs": 129, "IntervalInSeconds": 1}}, id="SizeInMBs 1 to 128"),
        pytest.param({"BufferingHints": {"SizeInMBs": 0, "IntervalInSeconds": 1}}, id="SizeInMBs 1 to 128"),
        pytest.param({"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 901}}, id="IntervalInSeconds 0 to 900"),
        pytest.param({"Prefix": "x" * 1025}, id="Prefix has 1,024 characters at most"),
        pytest.param({"FileExtension": "csv"}, id="FileExtension begins with a dot"),
        pytest.param({"RoleARN": "me"}, id="RoleARN is an ARN"),
        pytest.param({"BucketARN": "lake"}, id="BucketARN is an ARN"),
        pytest.param({"BucketARN": None}, id="BucketARN is required"),
        pytest.param({"CompressionFormat": "gzip"}, id="CompressionFormat is spelt exactly"),
        pytest.param({"S3BackupMode": "On"}, id="S3BackupMode is Enabled or Disabled"),
    ],
)
def test_settings_outside_awss_limits_are_refused(engine, make, changes):
    # AWS: Firehose API reference, ExtendedS3DestinationConfiguration
    settings = make.settings(**changes)
    request = {"DeliveryStreamName": "new", "ExtendedS3DestinationConfiguration": settings}

    with pytest.raises(InvalidArgumentError):
        perform(engine, "CreateDeliveryStream", request)


@pytest.mark.parametrize(
    "request_body",
    [
        [],
        {"DeliveryStreamName": 7},
        {"DeliveryStreamName": "new", "Tags": {}},
        {"DeliveryStreamName": "new", "ExtendedS3DestinationConfiguration": "x"},
    ],
)
def test_a_value_of_the_wrong_type_is_refused(engine, request_body):
    with pytest.raises(SerializationError):
        perform(engine, "CreateDeliveryStream", request_body)


def test_a_description_has_the_shape_that_aws_answers(call, make):
    description = call("DescribeDeliveryStream")["DeliveryStreamDescription"]

    destination = description["Destinations"][0]["ExtendedS3DestinationDescription"]
    plain = {name: value for name, value in destination.items() if name != "S3BackupMode"}
    assert description == {
        "DeliveryStreamName": "changes",
        "DeliveryStreamARN": "arn:aws:firehose:us-east-1:000000000000:deliverystream/changes",
        "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamEncryptionConfiguration": {"Status": "DISABLED"},
        "DeliveryStreamType": "DirectPut",
        "VersionId": "1",
        "CreateTimestamp": make.noon_ms / 1000,
        "Destinations": [
            {
                "DestinationId": DESTINATION_ID,
                "S3DestinationDescription": plain,
                "ExtendedS3DestinationDescription": destination,
            }
        ],
        "HasMoreDestinations": False,
    }


def test_streams_are_listed_in_order_ten_a_page(ready, make):
    # AWS: ListDeliveryStreams, Limit 10 by default
    for number in range(11):
        ready.create(f"s{number:02d}", settings=make.settings(), tags={})

    first = perform(ready, "ListDeliveryStreams", {})
    second = perform(ready, "ListDeliveryStreams", {"ExclusiveStartDeliveryStreamName": "s08", "Limit": 5})
    other = perform(ready, "ListDeliveryStreams", {"DeliveryStreamType": "MSKAsSource"})

    assert first == {
        "DeliveryStreamNames": ["changes", *(f"s{number:02d}" for number in range(9))],
        "HasMoreDeliveryStreams": True,
    }
    assert second == {"DeliveryStreamNames": ["s09", "s10"], "HasMoreDeliveryStreams": False}
    assert other == {"DeliveryStreamNames": [], "HasMoreDeliveryStreams": False}


def test_an_update_raises_the_version_and_a_stale_one_is_refused(call):
    # AWS answers with ConcurrentModificationException
    members = {
        "CurrentDeliveryStreamVersionId": "1",
        "DestinationId": DESTINATION_ID,
        "ExtendedS3DestinationUpdate": {"Prefix": "new/"},
    }

    call("UpdateDestination", **members)
    description = call("DescribeDeliveryStream")["DeliveryStreamDescription"]

    assert description["VersionId"] == "2"
    assert description["Destinations"][0]["ExtendedS3DestinationDescription"]["Prefix"] == "new/"
    with pytest.raises(ConcurrentModificationError):
        call("UpdateDestination", **members)


@pytest.mark.parametrize(
    "changes",
    [
        {"DestinationId": "other"},
        {"ExtendedS3DestinationUpdate": None},
        {"ExtendedS3DestinationUpdate": {"Prefix": "!{timestamp:"}},
        {"S3DestinationUpdate": {}},
    ],
)
def test_an_update_that_is_not_possible_changes_nothing(call, changes):
    members = {
        "CurrentDeliveryStreamVersionId": "1",
        "DestinationId": DESTINATION_ID,
        "ExtendedS3DestinationUpdate": {"Prefix": "new/"},
    }

    with pytest.raises(InvalidArgumentError):
        call("UpdateDestination", **(members | changes))

    assert call("DescribeDeliveryStream")["DeliveryStreamDescription"]["VersionId"] == "1"


def test_a_deleted_stream_is_unknown(call):
    call("DeleteDeliveryStream")

    with pytest.raises(ResourceNotFoundError):
        call("DescribeDeliveryStream")


def test_tags_are_added_listed_and_removed(call):
    call("TagDeliveryStream", Tags=[{"Key": "b", "Value": "2"}, {"Key": "a"}])
    listed = call("ListTagsForDeliveryStream", Limit=1)
    call("UntagDeliveryStream", TagKeys=["a"])

    assert listed == {"Tags": [{"Key": "a", "Value": ""}], "HasMoreTags": True}
    assert call("ListTagsForDeliveryStream") == {"Tags": [{"Key": "b", "Value": "2"}], "HasMoreTags": False}


def test_a_stream_bears_50_tags_at_most(call):
    # AWS answers with LimitExceededException
    call("TagDeliveryStream", Tags=[{"Key": f"k{number}"} for number in range(50)])

    with pytest.raises(LimitExceededError):
        call("TagDeliveryStream", Tags=[{"Key": "one more"}])


def test_an_operation_that_the_stand_in_lacks_is_unknown(engine):
    with pytest.raises(UnknownOperationError):
        perform(engine, "StartDeliveryStreamEncryption", {})


def test_streams_and_their_records_outlive_the_process(make, tmp_path):
    world = make.world()
    first = Engine(world.services, journal=tmp_path)
    first.create("changes", settings=make.settings(), tags={"team": "data"})
    first.update("changes", version=1, changes={"Prefix": "new/"})
    put_record_batch(first, a_batch(make, b"one", b"two"), faults=NO_FAULTS)
    first.stop()

    second = Engine(world.services, journal=tmp_path)
    waiting = second.waiting
    delivered = second.flush(timeout_seconds=30)
    entry = second.entry("changes")
    second.stop()

    assert (waiting, delivered, second.drained) == (2, True, True)
    assert (entry.version, entry.tags, list(world.s3.objects.values())) == (2, {"team": "data"}, [b"onetwo"])
    assert [key[:4] for key in world.s3.objects] == ["new/"]
    assert [path.name for path in tmp_path.iterdir()] == ["changes.stream.json"]


def test_a_deleted_stream_leaves_nothing_in_the_journal(make, tmp_path):
    engine = Engine(make.world().services, journal=tmp_path)
    engine.create("changes", settings=make.settings(), tags={})
    put_record_batch(engine, a_batch(make, b"one"), faults=NO_FAULTS)

    engine.delete("changes")
    engine.stop()

    assert list(tmp_path.iterdir()) == []
