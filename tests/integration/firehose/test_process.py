"""Data Firehose as a process of its own."""

import subprocess
import sys
import time
from contextlib import closing

import pytest
from botocore.exceptions import EndpointConnectionError

from local_aws.services.ports import free_port

PATIENCE_SECONDS = 20


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def process(aws, port):
    command = [sys.executable, "-m", "local_aws.firehose"]
    with subprocess.Popen(command, env={**aws.environment, "FIREHOSE_PORT": str(port)}) as running:
        yield running
        running.kill()


def test_a_process_delivers_what_it_has_before_it_ends(aws, make, process, port):
    bucket = aws.bucket()
    destination = make.destination() | {"BucketARN": f"arn:aws:s3:::{bucket}"}
    with closing(make.client(f"http://127.0.0.1:{port}")) as client:
        eventually_made(client, destination)
        client.put_record(DeliveryStreamName="changes", Record={"Data": b"one\n"})

    process.terminate()

    assert process.wait(PATIENCE_SECONDS) == 0
    [found] = aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert aws.client("s3").get_object(Bucket=bucket, Key=found["Key"])["Body"].read() == b"one\n"


def test_a_wrong_setting_is_told_and_ends_with_a_status_of_its_own():
    done = subprocess.run(
        [sys.executable, "-m", "local_aws.firehose"],
        env={"FIREHOSE_PORT": "none"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, "FIREHOSE_PORT" in done.stderr) == (2, True)


def eventually_made(client, destination):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            client.create_delivery_stream(DeliveryStreamName="changes", ExtendedS3DestinationConfiguration=destination)
        except EndpointConnectionError:
            assert time.monotonic() < deadline, "the process does not listen"
            time.sleep(0.1)
        else:
            return
