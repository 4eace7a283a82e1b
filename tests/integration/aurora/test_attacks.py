"""Faults of a database, as a client meets them through the proxy."""
# ruff: noqa: S608 - a test names its own table

import contextlib

import pymysql
import pytest

from local_aws.aurora.proxy import AuroraProxy
from local_aws.faults import Faults

LEDGER = "_ddb2aurora_loads"


@pytest.fixture
def attacked(aws, database):
    """Return a client's connection through a proxy whose given faults strike at every opportunity."""
    database.connect(autocommit=True).cursor().execute(f"CREATE TABLE {LEDGER} (n INT PRIMARY KEY)")
    with contextlib.ExitStack() as stack:

        def connect(*faults):
            rates = dict.fromkeys(faults, 1.0)
            calm = Faults(rates=rates)
            calm.rest()
            proxy = stack.enter_context(
                AuroraProxy(
                    s3=aws.client("s3"),
                    server_host=database.host,
                    server_port=database.port,
                    files=database.server.files,
                    faults=calm,
                )
            )
            connection = database.connect(port=proxy.port)
            with connection.cursor() as cursor:
                cursor.execute("START TRANSACTION")
            calm.rest(resting=False)
            return connection

        yield connect


def run(connection, statement):
    """Return the number of the error that the statement ends with; None when it ends well."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except pymysql.err.Error as error:
        return error.args[0]
    return None


def rows(database):
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT n FROM {LEDGER}")
        return cursor.fetchall()


@pytest.mark.parametrize(("fault", "held"), [("database.lose_commit_answer", ((1,),)), ("database.lose_commit", ())])
def test_whether_a_commit_took_place_is_not_told_to_the_client(attacked, database, fault, held):
    connection = attacked(fault)

    errors = [run(connection, f"INSERT INTO {LEDGER} VALUES (1)"), run(connection, "COMMIT")]

    assert errors == [None, 2013]
    assert rows(database) == held


@pytest.mark.parametrize(("fault", "number"), [("database.lock_timeout", 1205), ("database.read_only", 1290)])
def test_a_statement_that_is_refused_leaves_the_transaction_as_it_was(attacked, database, fault, number):
    connection = attacked(fault)

    errors = [
        run(connection, f"INSERT INTO {LEDGER} VALUES (1)"),
        run(connection, f"SELECT * FROM {LEDGER} LOCK IN SHARE MODE"),
        run(connection, "ROLLBACK"),
    ]

    assert errors == [number, None, None]
    assert rows(database) == ()


def test_a_connection_that_breaks_takes_its_transaction_with_it(attacked, database):
    connection = attacked("database.drop_connection")

    assert run(connection, "SELECT 1") == 2013
    assert rows(database) == ()


def test_a_slow_server_gives_the_right_answers(attacked, database):
    connection = attacked("database.slow")

    assert [run(connection, f"INSERT INTO {LEDGER} VALUES (1)"), run(connection, "COMMIT")] == [None, None]
    assert rows(database) == ((1,),)
