"""Credentials out of a secret."""

import pytest

from ddb2aurora.database.credentials import Credentials, SecretError, credential_source, parse_secret
from ddb2aurora.database.settings import DatabaseSettings
from ddb2aurora.settings import Secret


def test_a_secret_that_aurora_manages_is_read():
    assert parse_secret('{"username": "u", "password": "p"}', arn="arn") == Credentials("u", Secret("p"))


@pytest.mark.parametrize("text", ["", "p", "[]", '"p"', '{"username": "u"}', '{"username": "u", "password": 3}'])
def test_another_secret_is_refused_by_its_name_and_not_shown(text):
    with pytest.raises(SecretError) as failure:
        parse_secret(text, arn="the-arn")

    assert str(failure.value) == 'the secret the-arn is not JSON of the form {"username": …, "password": …}'


def test_a_password_is_what_it_is():
    settings = DatabaseSettings(host="h", port=1, name=None, user="u", password=Secret("p"))

    assert credential_source(settings)() == Credentials("u", Secret("p"))
