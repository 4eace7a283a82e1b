"""The edge to AWS: which errors of the SDK halt, which pass, and what counts as a confirmation."""

import pytest
from botocore.exceptions import (
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.stub import Stubber
from sdk_environment import set_sdk_environment

from stream_processor.aws import AwsCallError, FailedObjects, FirehoseStream, QuarantineError
from stream_processor.delivery import Refused

HALTING = {
    "ResourceNotFoundException": "check DELIVERY_STREAM_NAME and the region",
    "AccessDeniedException": "let the function's role use it",
    "UnrecognizedClientException": "check the credentials",
    "InvalidSignatureException": "check the credentials and the clock",
    "InvalidArgumentException": "this is a defect of the stream-processor",
    "InvalidKMSResourceException": "check the key of the delivery stream",
    "InvalidSourceException": "create the delivery stream with the source Direct PUT",
}
PASSING = ["ServiceUnavailableException", "InternalFailure", "ThrottlingException", "ExpiredTokenException", "Unheard"]


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    set_sdk_environment(monkeypatch)


@pytest.fixture
def stream():
    return FirehoseStream("changes")


@pytest.fixture
def firehose(stream):
    with Stubber(stream._client) as stubber:
        yield stubber


@pytest.fixture
def objects():
    return FailedObjects("lake")


@pytest.fixture
def s3(objects):
    with Stubber(objects._client) as stubber:
        yield stubber


def raising(error):
    """Return a hook that makes the SDK raise *error* in place of a call."""

    def hook(**_):
        raise error

    return hook


def responses(*entries, failed=0):
    return {"FailedPutCount": failed, "Encrypted": False, "RequestResponses": list(entries)}


def test_accepted_records_are_confirmed_by_their_ids(stream, firehose):
    request = {"DeliveryStreamName": "changes", "Records": [{"Data": b"a"}, {"Data": b"b"}]}
    firehose.add_response("put_record_batch", responses({"RecordId": "1"}, {"RecordId": "2"}), request)

    assert stream.put([b"a", b"b"]) == [None, None]


def test_each_refused_record_is_told_by_its_code_although_the_call_succeeded(stream, firehose):
    refusal = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
    firehose.add_response("put_record_batch", responses({"RecordId": "1"}, refusal, {"RecordId": "3"}, failed=1))

    assert stream.put([b"a", b"b", b"c"]) == [None, "ServiceUnavailableException", None]


def test_a_record_without_an_id_is_not_confirmed_even_when_nothing_is_said_to_have_failed(stream, firehose):
    firehose.add_response("put_record_batch", responses({"RecordId": "1"}, {}, failed=0))

    assert stream.put([b"a", b"b"]) == [None, "Unconfirmed"]


@pytest.mark.parametrize("entries", [[{"RecordId": "1"}], [{"RecordId": str(n)} for n in range(3)]])
def test_an_answer_of_another_length_confirms_nothing(stream, firehose, entries):
    firehose.add_response("put_record_batch", responses(*entries))

    assert stream.put([b"a", b"b"]) == Refused("IncompleteAnswer")


@pytest.mark.parametrize("code", PASSING)
def test_a_call_that_may_work_later_is_refused_with_its_code(stream, firehose, code):
    firehose.add_client_error("put_record_batch", code)

    assert stream.put([b"a"]) == Refused(code)


@pytest.mark.parametrize(("code", "mend"), HALTING.items())
def test_a_call_that_cannot_work_halts_and_says_what_mends_it(stream, firehose, code, mend):
    firehose.add_client_error("put_record_batch", code)

    with pytest.raises(AwsCallError) as caught:
        stream.put([b"a"])

    assert str(caught.value) == f"PutRecordBatch on changes failed with {code}: {mend}"


@pytest.mark.parametrize(
    "error", [EndpointConnectionError(endpoint_url="http://x"), ReadTimeoutError(endpoint_url="http://x")]
)
def test_a_broken_connection_is_refused_with_the_name_of_its_error(stream, error):
    stream._client.meta.events.register("before-call.firehose.PutRecordBatch", raising(error))

    assert stream.put([b"a"]) == Refused(type(error).__name__)


@pytest.mark.parametrize(
    "error", [NoCredentialsError(), PartialCredentialsError(provider="env", cred_var="secret_key")]
)
def test_missing_credentials_halt_and_ask_for_a_role(stream, error):
    stream._client.meta.events.register("before-call.firehose.PutRecordBatch", raising(error))

    with pytest.raises(AwsCallError, match="give the function a role"):
        stream.put([b"a"])


def test_parameters_that_the_sdk_refuses_halt_without_being_quoted(stream):
    error = ParamValidationError(report="Invalid type for parameter Records[0].Data, value: secret")
    stream._client.meta.events.register("before-call.firehose.PutRecordBatch", raising(error))

    with pytest.raises(AwsCallError) as caught:
        stream.put([b"a"])

    assert str(caught.value) == "PutRecordBatch on changes: the SDK refuses the parameters; is the name right?"
    assert caught.value.__suppress_context__


def test_a_failed_object_is_written_under_its_key(objects, s3):
    request = {
        "Bucket": "lake",
        "Key": "failed/things/oversized/1.json",
        "Body": b"{}\n",
        "ContentType": "application/x-ndjson",
    }
    s3.add_response("put_object", {}, request)

    objects.write("failed/things/oversized/1.json", b"{}\n")

    s3.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "503"])
def test_an_object_that_s3_does_not_take_this_time_is_to_be_tried_again(objects, s3, code):
    s3.add_client_error("put_object", code)

    with pytest.raises(QuarantineError, match="PutObject on lake failed"):
        objects.write("failed/x.json", b"{}\n")


def test_an_object_whose_connection_breaks_is_to_be_tried_again(objects):
    error = EndpointConnectionError(endpoint_url="http://x")
    objects._client.meta.events.register("before-call.s3.PutObject", raising(error))

    with pytest.raises(QuarantineError):
        objects.write("failed/x.json", b"{}\n")


@pytest.mark.parametrize(
    ("code", "mend"),
    [
        ("NoSuchBucket", "check BUCKET_NAME"),
        ("AccessDenied", "let the function's role use it"),
        ("InvalidAccessKeyId", "check the credentials"),
        ("SignatureDoesNotMatch", "check the credentials and the clock"),
    ],
)
def test_a_bucket_that_cannot_be_written_halts_and_says_what_mends_it(objects, s3, code, mend):
    s3.add_client_error("put_object", code)

    with pytest.raises(AwsCallError) as caught:
        objects.write("failed/x.json", b"{}\n")

    assert str(caught.value) == f"PutObject on lake failed with {code}: {mend}"


def test_a_bucket_name_that_is_none_halts():
    with pytest.raises(AwsCallError, match="is the name right"):
        FailedObjects("not a bucket").write("failed/x.json", b"{}\n")


@pytest.mark.parametrize(
    "use_client",
    [lambda: FirehoseStream("name"), lambda: FailedObjects("name").write("failed/x.json", b"{}\n")],
    ids=["Firehose", "S3"],
)
def test_a_client_without_a_region_or_endpoint_halts_and_says_what_to_set(monkeypatch, use_client):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "no address")

    with pytest.raises(AwsCallError, match="set AWS_DEFAULT_REGION or AWS_ENDPOINT_URL"):
        use_client()
