"""The stand-in for Lambda's Invoke as the SDK sees it."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.lambda_api import LambdaServer, Served
from local_aws.runtime.in_process import CallableFunction

ARN = "arn:aws:lambda:us-east-1:000000000000:function:loader"


@pytest.fixture
def queued():
    return []


@pytest.fixture
def make_client(queued):
    servers, clients = [], []

    def make(handler):
        function = CallableFunction(name="loader", handler=handler)
        server = LambdaServer(functions=lambda: {"loader": Served(function, queued.append)})
        server.start()
        servers.append(server)
        client = boto3.client(
            "lambda",
            endpoint_url=server.url,
            region_name="us-east-1",
            aws_access_key_id="not-a-key",
            aws_secret_access_key="not-a-secret",
            config=Config(retries={"total_max_attempts": 1}),
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()
    for server in servers:
        server.stop()


@pytest.mark.parametrize("name", ["loader", ARN, f"{ARN}:$LATEST"])
def test_a_function_is_invoked_by_name_and_by_arn(make_client, name):
    client = make_client(lambda event, _context: {"got": event})

    answer = client.invoke(FunctionName=name, Payload=b'{"a": 1}')

    assert (answer["StatusCode"], json.load(answer["Payload"])) == (200, {"got": {"a": 1}})
    assert "FunctionError" not in answer


def test_a_function_that_raises_is_told_by_the_header_and_the_payload(make_client):
    def fail(_event, _context):
        raise ValueError("no good")

    answer = make_client(fail).invoke(FunctionName="loader")

    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.load(answer["Payload"]) == {"errorMessage": "no good", "errorType": "ValueError", "stackTrace": []}


def test_a_function_that_is_not_there_is_an_error_of_the_sdk_s(make_client):
    client = make_client(lambda event, _context: event)

    with pytest.raises(client.exceptions.ResourceNotFoundException) as caught:
        client.invoke(FunctionName="nobody")

    assert caught.value.response["Error"]["Message"].startswith("Function not found: arn:aws:lambda:")


def test_an_event_is_queued(make_client, queued):
    answer = make_client(None).invoke(FunctionName="loader", InvocationType="Event", Payload=b'{"a": 1}')

    assert (answer["StatusCode"], queued) == (202, [{"a": 1}])


def test_a_payload_beyond_the_limit_is_refused(make_client):
    client = make_client(lambda event, _context: event)

    with pytest.raises(ClientError) as caught:
        client.invoke(FunctionName="loader", Payload=b'"' + b"x" * 6 * 1024 * 1024 + b'"')

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_one_invocation_does_not_wait_for_another(make_client):
    meeting = threading.Barrier(2, timeout=10)

    def meet(event, _context):
        meeting.wait()
        return event

    client = make_client(meet)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: client.invoke(FunctionName="loader")["StatusCode"], range(2)))

    assert answers == [200, 200]
