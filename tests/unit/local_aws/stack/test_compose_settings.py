"""What local_aws is told when it runs in a container."""

import pytest

from ddb2aurora.settings import SettingsError
from local_aws.runtime.containers import Containers
from local_aws.stack.compose import main
from local_aws.stack.compose_settings import ComposeSettings

ENVIRONMENT = {
    "AWS_ENDPOINT_URL": "http://localstack:4566",
    "AWS_ACCESS_KEY_ID": "not-a-key",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    "AWS_REGION": "us-east-1",
    "PIPELINE": "web_analytics",
    "DB_HOST": "aurora",
    "DB_USER": "root",
    "DB_PASSWORD": "not-a-password",
    "DB_TLS": "off",
    "FUNCTION_ADDRESS": "http://{stage}-{replica}:8080",
}


def test_each_stage_has_as_many_containers_as_it_is_told_and_one_by_default():
    settings = ComposeSettings.from_env({**ENVIRONMENT, "AURORA_LOADER_REPLICAS": "3"})

    assert settings.containers == Containers(
        address="http://{stage}-{replica}:8080",
        replicas={"stream-processor": 1, "firehose-transformer": 1, "aurora-loader": 3},
    )


def test_all_that_is_missing_is_told_at_once():
    with pytest.raises(SettingsError) as caught:
        ComposeSettings.from_env({"DB_TLS": "off"})

    named = [line.split()[0] for line in str(caught.value).splitlines()[1:]]
    assert named == [
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "PIPELINE",
        "DB_HOST",
        "set",
        "DB_USER",
        "FUNCTION_ADDRESS",
    ]


def test_a_function_of_containers_is_named_as_its_pipeline_s_stage():
    containers = Containers(address="http://{stage}-{replica}:8080", replicas={"aurora-loader": 2})

    function = containers.function("aurora-loader", name="orders-aurora-loader", timeout_seconds=300)

    assert function.arn == "arn:aws:lambda:us-east-1:000000000000:function:orders-aurora-loader:$LATEST"


def test_a_command_that_is_none_is_answered_with_the_usage(capsys: pytest.CaptureFixture[str]):
    status = main(["play"])

    assert (status, capsys.readouterr().err) == (2, "usage: python -m local_aws.stack.compose init|run\n")
