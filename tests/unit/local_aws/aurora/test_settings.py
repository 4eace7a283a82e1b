from pathlib import Path

import pytest

from local_aws.aurora.door import Guard
from local_aws.aurora.settings import Settings


def test_what_is_not_said_has_its_default():
    settings = Settings.from_env({"AURORA_SERVER_HOST": "mysql", "AURORA_FILES": "/files"})

    assert settings == Settings(
        server_host="mysql",
        server_port=3306,
        listen_host="127.0.0.1",
        listen_port=3306,
        files=Path("/files"),
        server_files=Path("/files"),
        roles_active_on_login=False,
    )


def test_everything_can_be_said():
    settings = Settings.from_env(
        {
            "AURORA_SERVER_HOST": "mysql",
            "AURORA_SERVER_PORT": "3307",
            "AURORA_LISTEN_HOST": "0.0.0.0",  # noqa: S104 - only read here
            "AURORA_LISTEN_PORT": "3308",
            "AURORA_FILES": "/files",
            "AURORA_SERVER_FILES": "/var/lib/mysql-files",
            "AURORA_ROLES_ACTIVE_ON_LOGIN": "1",
            "AURORA_CERTIFICATE": "/c.pem",
            "AURORA_KEY": "/c.key",
            "AURORA_IAM_USERS": "one,two",
            "AURORA_ENDPOINT": "aurora:3306",
        }
    )

    assert settings == Settings(
        server_host="mysql",
        server_port=3307,
        listen_host="0.0.0.0",  # noqa: S104 - only compared here
        listen_port=3308,
        files=Path("/files"),
        server_files=Path("/var/lib/mysql-files"),
        roles_active_on_login=True,
        guard=Guard(Path("/c.pem"), Path("/c.key"), frozenset({"one", "two"}), "aurora:3306"),
    )


def test_every_mistake_is_reported_at_once():
    with pytest.raises(ValueError, match="AURORA") as refused:
        Settings.from_env({"AURORA_SERVER_PORT": "x", "AURORA_LISTEN_PORT": "0", "AURORA_ROLES_ACTIVE_ON_LOGIN": "yes"})

    assert str(refused.value) == (
        "AURORA_SERVER_HOST is missing; AURORA_FILES is missing; AURORA_SERVER_PORT is 'x', which is no port; "
        "AURORA_LISTEN_PORT is '0', which is no port; AURORA_ROLES_ACTIVE_ON_LOGIN is 'yes', which is neither 0 nor 1"
    )
