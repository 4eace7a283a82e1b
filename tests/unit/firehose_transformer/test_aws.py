"""The edge to S3: what of it means that rejects are not kept, and that the SDK is loaded no earlier than needed."""

import subprocess
import sys

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from sdk_environment import set_sdk_environment

from firehose_transformer.aws import FailedObjects, NoBucket, NotKeptError

IMPORTED = "import sys, firehose_transformer.handler; print(sorted({'boto3', 'botocore'} & set(sys.modules)))"


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    set_sdk_environment(monkeypatch)


@pytest.fixture
def objects():
    return FailedObjects("lake")


@pytest.fixture
def s3(objects):
    with Stubber(objects._client) as stubber:
        yield stubber


def test_rejects_are_written_as_lines_of_json_under_their_key(objects, s3):
    expected = {"Bucket": "lake", "Key": "failed/x", "Body": b"{}\n", "ContentType": "application/x-ndjson"}
    s3.add_response("put_object", {}, expected)

    objects.write("failed/x", b"{}\n")

    s3.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", "SlowDown"])
def test_what_s3_refuses_is_not_kept_and_the_error_says_what_to_check(objects, s3, code):
    s3.add_client_error("put_object", service_error_code=code)

    with pytest.raises(NotKeptError, match=f"PutObject on lake failed with {code}; check BUCKET_NAME"):
        objects.write("failed/x", b"secret")


def test_a_connection_that_fails_is_not_kept(objects):
    def fail(**_):
        raise EndpointConnectionError(endpoint_url="https://s3.example")

    objects._client.meta.events.register("before-call.s3.PutObject", fail)

    with pytest.raises(NotKeptError, match="failed with EndpointConnectionError"):
        objects.write("failed/x", b"secret")


def test_an_endpoint_that_is_no_address_is_not_kept(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")

    with pytest.raises(NotKeptError, match="failed with ValueError"):
        FailedObjects("lake").write("failed/x", b"secret")


def test_without_a_bucket_nothing_is_kept():
    with pytest.raises(NotKeptError, match="BUCKET_NAME is not set; set it to the bucket"):
        NoBucket().write("failed/x", b"secret")


def test_the_entry_point_starts_without_the_sdk():
    printed = subprocess.run([sys.executable, "-c", IMPORTED], check=True, capture_output=True, text=True).stdout

    assert printed == "[]\n"
