"""
Who the loader is to the database: a password, a secret that rotates, or a token of IAM.

The SDK is imported when it is needed, since a password needs none of it.
"""

import json
from collections.abc import Callable
from typing import NamedTuple

from ddb2aurora.database.settings import DatabaseSettings
from ddb2aurora.errors import HaltError, RetryError
from ddb2aurora.settings import Secret


class Credentials(NamedTuple):
    """A user and what proves it."""

    user: str
    password: Secret


CredentialSource = Callable[[], Credentials]


class SecretError(HaltError):
    """The secret cannot be used."""


class SecretUnavailableError(RetryError):
    """The secret cannot be read now."""


def credential_source(settings: DatabaseSettings) -> CredentialSource:
    """Return the function that reads the credentials anew each time it is called."""
    if settings.secret_arn is not None:
        arn = settings.secret_arn
        return lambda: _from_secret(arn)
    if settings.iam:
        return lambda: _from_iam(settings)
    password = settings.password or Secret("")
    return lambda: Credentials(settings.user, password)


def _from_secret(arn: str) -> Credentials:
    import boto3  # noqa: PLC0415 - needed by this way to log in only
    import botocore.exceptions  # noqa: PLC0415 - as above

    try:
        text = boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise SecretUnavailableError(
            f"reading the secret {arn} failed ({type(error).__name__}); check that the function may read it and that "
            "its subnets reach Secrets Manager"
        ) from error
    return parse_secret(text, arn=arn)


def parse_secret(text: str, *, arn: str) -> Credentials:
    """
    Return the credentials in the JSON text of a secret.

    Raises:
        SecretError: It does not hold a user name and a password.
    """
    # A secret that Aurora manages holds `username` and `password`, and neither host nor port.
    try:
        secret = json.loads(text)
        username, password = secret["username"], secret["password"]
    except (ValueError, KeyError, TypeError):
        username, password = None, None
    if not isinstance(username, str) or not isinstance(password, str):
        raise SecretError(f'the secret {arn} is not JSON of the form {{"username": …, "password": …}}')
    return Credentials(username, Secret(password))


def _from_iam(settings: DatabaseSettings) -> Credentials:
    import boto3  # noqa: PLC0415 - needed by this way to log in only

    # Signed here, without a call; valid for 15 minutes to open connections with.
    token = boto3.client("rds").generate_db_auth_token(
        DBHostname=settings.host, Port=settings.port, DBUsername=settings.user
    )
    return Credentials(settings.user, Secret(token))
