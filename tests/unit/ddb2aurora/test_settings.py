import os
from pathlib import Path

import pytest

from ddb2aurora.settings import DEFAULT_PIPELINES_FOLDER, Secret, SettingsError, SettingsReader, process_environment


def test_variables_are_read():
    reader = SettingsReader(
        {"NAME": "things", "PORT": "3306", "MODE": "s3", "LOG_LEVEL": "DEBUG", "PIPELINES_FOLDER": "/p", "MAYBE": "x"}
    )

    found = (
        reader.text("NAME", what="a name"),
        reader.integer("PORT", what="a port", low=1, high=65535),
        reader.choice("MODE", what="a mode", choices=("s3", "local")),
        reader.log_level(),
        reader.pipelines_folder(),
        reader.optional("MAYBE"),
    )
    reader.finish()

    assert found == ("things", 3306, "s3", "DEBUG", Path("/p"), "x")


@pytest.mark.parametrize("environment", [{}, dict.fromkeys(("NAME", "PORT", "MODE", "LOG_LEVEL", "MAYBE"), "")])
def test_what_is_missing_or_empty_has_its_default(environment):
    reader = SettingsReader(environment)

    found = (
        reader.text("NAME", what="a name", default="things"),
        reader.integer("PORT", what="a port", low=1, high=65535, default=3306),
        reader.choice("MODE", what="a mode", choices=("s3", "local"), default="local"),
        reader.log_level(),
        reader.pipelines_folder(),
        reader.optional("MAYBE"),
    )
    reader.finish()

    assert found == ("things", 3306, "local", "INFO", Path(DEFAULT_PIPELINES_FOLDER), None)


def test_every_mistake_is_reported_at_once():
    reader = SettingsReader({"PORT": "99999", "OTHER_PORT": "x", "MODE": "ftp", "LOG_LEVEL": "LOUD", "EMPTY": ""})

    found = (
        reader.text("NAME", what="a name"),
        reader.text("EMPTY", what="something"),
        reader.integer("PORT", what="a port", low=1, high=65535),
        reader.integer("OTHER_PORT", what="a port", low=1, high=65535, default=3306),
        reader.integer("NO_PORT", what="a port", low=1, high=65535),
        reader.choice("MODE", what="a mode", choices=("s3", "local")),
        reader.choice("NO_MODE", what="a mode", choices=("s3", "local")),
        reader.log_level(),
    )
    reader.report("A and B exclude each other")
    with pytest.raises(SettingsError) as caught:
        reader.finish()

    assert found == ("", "", 1, 1, 1, "s3", "s3", "INFO")
    assert str(caught.value).splitlines() == [
        "bad settings:",
        "  NAME is missing: set it to a name",
        "  EMPTY is missing: set it to something",
        "  PORT is '99999': set it to a port, a whole number from 1 to 65535",
        "  OTHER_PORT is 'x': set it to a port, a whole number from 1 to 65535",
        "  NO_PORT is None: set it to a port, a whole number from 1 to 65535",
        "  MODE is 'ftp': set it to a mode, one of s3, local",
        "  NO_MODE is None: set it to a mode, one of s3, local",
        "  LOG_LEVEL is 'LOUD': set it to the lowest level to log, one of INFO, DEBUG, WARNING, ERROR",
        "  A and B exclude each other",
    ]


def test_a_secret_shows_as_stars_wherever_it_is_printed():
    secret = Secret("hunter2")

    shown = [str(secret), repr(secret), f"{secret}", "%s %r" % (secret, secret), str([secret]), str({"p": secret})]  # noqa: UP031

    assert shown == ["***", "***", "***", "*** ***", "[***]", "{'p': ***}"]
    assert secret.reveal() == "hunter2"


def test_secrets_are_equal_when_their_texts_are():
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


def test_the_environment_of_the_process_can_be_had():
    assert process_environment() is os.environ  # noqa: TID251 - what is asked for
