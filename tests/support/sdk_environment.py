"""An environment in which the AWS SDK makes clients without looking anywhere for a region or for credentials."""

import boto3
import pytest

SDK_ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


def set_sdk_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SDK see `SDK_ENVIRONMENT` in this process, no endpoint, and a session that knows nothing else yet."""
    for name, value in SDK_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
