"""Errors of the SDK, each with what mends it, as ours: those that need someone, and those that may pass."""

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from operator_cli.aws import AwsCallError, AwsSetUpError, aws_errors


def refused(code):
    return ClientError({"Error": {"Code": code, "Message": "it says so"}}, "BatchWriteItem")


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (
            refused("ResourceNotFoundException"),
            AwsSetUpError,
            (
                "BatchWriteItem on table t failed with ResourceNotFoundException (it says so): it is not there; create "
                "it, or check the region and AWS_ENDPOINT_URL"
            ),
        ),
        (
            refused("ExpiredTokenException"),
            AwsSetUpError,
            (
                "BatchWriteItem on table t failed with ExpiredTokenException (it says so): renew the credentials, or "
                "set AWS_PROFILE"
            ),
        ),
        (
            refused("ThrottlingException"),
            AwsCallError,
            "BatchWriteItem on table t failed with ThrottlingException (it says so)",
        ),
        (ClientError({}, "BatchWriteItem"), AwsCallError, "BatchWriteItem on table t failed with Unknown ()"),
        (
            NoRegionError(),
            AwsSetUpError,
            "table t: no region is set; set AWS_DEFAULT_REGION, the SDK does not read AWS_REGION",
        ),
        (
            NoCredentialsError(),
            AwsSetUpError,
            "table t: Unable to locate credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        ),
        (
            PartialCredentialsError(provider="env", cred_var="aws_secret_access_key"),
            AwsSetUpError,
            (
                "table t: Partial credentials found in env, missing: aws_secret_access_key; set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            ),
        ),
        (
            EndpointConnectionError(endpoint_url="http://x"),
            AwsCallError,
            'table t: Could not connect to the endpoint URL: "http://x"; check the network and AWS_ENDPOINT_URL',
        ),
        (
            ConnectionClosedError(endpoint_url="http://x"),
            AwsCallError,
            (
                "table t: Connection was closed before we received a valid response from endpoint URL: "
                '"http://x".; check the network and AWS_ENDPOINT_URL'
            ),
        ),
        (
            ProfileNotFound(profile="p"),
            AwsSetUpError,
            "table t: The config profile (p) could not be found; check the settings of the AWS SDK",
        ),
    ],
)
def test_each_error_of_the_sdk_says_where_and_what_mends_it(error, kind, text):
    with pytest.raises(kind) as caught, aws_errors(where="table t"):
        raise error

    assert str(caught.value) == text
    assert caught.value.__cause__ is error
