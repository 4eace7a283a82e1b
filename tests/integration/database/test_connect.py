"""A connection whose session is ours, whatever the server's parameters say."""

import dataclasses
from pathlib import Path

import botocore
import pytest

from ddb2aurora.database.connect import connect
from ddb2aurora.database.credentials import Credentials
from ddb2aurora.database.errors import DatabaseHaltError, DatabaseRetryError
from ddb2aurora.settings import Secret
from local_aws.services.ports import free_port

# MariaDB took the newer name in 11.1.
ISOLATION = {"mysql": "transaction_isolation", "mariadb": "tx_isolation"}
KEY_COLLATIONS = {"mysql": "utf8mb4_0900_bin", "mariadb": "utf8mb4_nopad_bin"}


def test_the_session_is_strict_in_utc_and_without_gap_locks(target):
    connection, server = target.connect()

    session = connection.rows(
        f"SELECT @@sql_mode, @@time_zone, @@{ISOLATION[server.flavor]}, @@sql_notes, "
        "@@innodb_lock_wait_timeout, @@autocommit, @@character_set_client, @@character_set_connection"
    )

    assert server.key_collation == KEY_COLLATIONS[server.flavor]
    assert session == (
        (
            (
                "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
                "NO_ENGINE_SUBSTITUTION"
            ),
            "+00:00",
            "READ-COMMITTED",
            1,
            10,
            1,
            "utf8mb4",
            "utf8mb4",
        ),
    )


def test_the_session_stays_strict_on_a_server_that_is_not(target):
    target.query("SET @before = @@GLOBAL.sql_mode")
    target.query("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'")

    try:
        connection, _ = target.connect()
        mode = connection.rows("SELECT @@sql_mode")
    finally:
        target.query("SET GLOBAL sql_mode = @before")

    assert "ANSI" not in mode[0][0]
    assert "BACKSLASH" not in mode[0][0]


def test_credentials_are_read_again_once_when_they_are_refused(target):
    user, password = target.settings.user, target.settings.password
    answers = [Credentials(user, Secret("rotated away")), Credentials(user, password)]

    connection, _ = connect(target.settings, credentials=lambda: answers.pop(0))
    connection.close()

    assert answers == []


def test_credentials_that_stay_wrong_halt_with_a_hint(target):
    settings = dataclasses.replace(target.settings, password=Secret("wrong"))

    with pytest.raises(DatabaseHaltError) as failure:
        connect(settings)

    assert str(failure.value) == (
        f"connecting failed on {settings.address}: error 1045 of the database; "
        "check DB_USER and the password, the secret or the IAM permission rds-db:connect"
    )


def test_a_server_that_is_not_there_may_come_back(target):
    settings = dataclasses.replace(target.settings, port=free_port())

    with pytest.raises(DatabaseRetryError) as failure:
        connect(settings)

    assert str(failure.value) == (
        f"connecting failed on {settings.address}: error 2003 of the database; nobody answers there; check DB_HOST and "
        "DB_PORT, that the server runs and that the network lets us in"
    )


def test_a_server_without_a_verified_certificate_is_not_talked_to(target):
    settings = dataclasses.replace(target.settings, ca_file=Path(botocore.__file__).with_name("cacert.pem"))

    with pytest.raises(DatabaseHaltError) as failure:
        connect(settings)

    assert str(failure.value) == (
        f"connecting failed on {settings.address}: error 2026 of the database; the server's certificate could not be "
        "verified, or it offers no TLS; check DB_HOST and DB_CA_FILE"
    )


def test_a_session_that_cannot_be_set_up_is_closed(target):
    user = f"u{target.database.name[-8:]}"
    target.query(f"CREATE USER {user}@'%' IDENTIFIED BY 'p' WITH MAX_QUERIES_PER_HOUR 1")
    settings = dataclasses.replace(target.settings, user=user, password=Secret("p"))

    try:
        with pytest.raises(DatabaseHaltError, match="error 1226 of the database"):
            connect(settings)
    finally:
        target.query(f"DROP USER {user}@'%'")
