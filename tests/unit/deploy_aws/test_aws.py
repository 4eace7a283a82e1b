"""What an error of the SDK means to whoever deploys."""

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from fake_cloudformation import refused

from deploy_aws.aws import make_clients, ours
from deploy_aws.errors import DeploymentFailedError, DeploymentSettingsError


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (
            refused("AccessDenied", "not yours"),
            DeploymentSettingsError,
            (
                "DescribeStacks failed with AccessDenied (not yours): the credentials' user or role may not do this; "
                "docs/deploy.md lists what deploying needs"
            ),
        ),
        (
            refused("ExpiredToken", "old"),
            DeploymentSettingsError,
            "DescribeStacks failed with ExpiredToken (old): renew the credentials, or set AWS_PROFILE",
        ),
        (
            refused("ValidationError", "bad rule"),
            DeploymentSettingsError,
            "DescribeStacks failed with ValidationError (bad rule): mend the template or the parameters",
        ),
        (refused("Throttling", "slow"), DeploymentFailedError, "DescribeStacks failed with Throttling (slow)"),
        (
            NoCredentialsError(),
            DeploymentSettingsError,
            "Unable to locate credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
        (
            EndpointConnectionError(endpoint_url="https://x"),
            DeploymentFailedError,
            'Could not connect to the endpoint URL: "https://x"; check the network, and run the same command again',
        ),
    ],
)
def test_each_error_says_what_mends_it(error, kind, text):
    found = ours(error)

    assert (type(found), str(found)) == (kind, text)


def test_every_client_is_in_the_region_that_was_asked_for():
    clients = make_clients("eu-west-1")

    regions = {
        getattr(clients, name).meta.region_name
        for name in ("cloudformation", "dynamodb", "ec2", "ecr", "functions", "logs", "rds", "s3", "sts")
    }
    assert (clients.region, regions) == ("eu-west-1", {"eu-west-1"})


def test_a_function_is_never_invoked_twice_by_the_sdk():
    config = make_clients("eu-west-1").functions.meta.config

    assert (config.retries["total_max_attempts"], config.read_timeout > 900) == (1, True)
