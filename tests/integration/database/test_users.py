"""The users of the loader and of the operator's commands work with what they are granted, and can do nothing else."""
# ruff: noqa: S608 - tests name their own tables

import contextlib
import secrets
from dataclasses import replace

import pymysql
import pytest
from loader_fixtures import a_column, a_delete, a_pipeline, an_object, an_upsert

from aurora_loader.outcome import Outcome
from aurora_loader.sources import AuroraSource
from ddb2aurora.database.errors import DatabaseHaltError
from ddb2aurora.database.purge import purge
from ddb2aurora.database.users import (
    DatabaseUser,
    NoIamAuthenticationError,
    UserNameError,
    ensure_user,
    grants,
)
from ddb2aurora.dialect import encode_row
from ddb2aurora.settings import Secret
from local_aws.aurora.proxy import AuroraProxy

PASSWORD = Secret("it's a \\ %s pässword")


class Users:
    """Users of a target that end with the test."""

    def __init__(self, target):
        self.target = target
        self.names = []

    def make(self, role, password=PASSWORD):
        name = f"{role}_{secrets.token_hex(4)}"
        self.names.append(name)
        return name, self.again(name, role, password)

    def again(self, name, role, password=PASSWORD):
        return ensure_user(self.target.connection, DatabaseUser(name, role, password), tables=self.target.tables)

    def settings(self, name, **parts):
        return replace(self.target.settings, user=name, password=PASSWORD, **parts)

    def connect(self, name, **parts):
        return self.target.connect(self.settings(name, **parts))

    def drop(self):
        for name in self.names:
            self.target.query(f"DROP USER IF EXISTS '{name}'@'%'")


@pytest.fixture(params=["mirror", "soft_delete", "append"])
def mode(request):
    return request.param


@pytest.fixture
def users(target):
    users = Users(target)
    yield users
    users.drop()


@pytest.fixture
def users_of(make_target):
    with contextlib.ExitStack() as ends:

        def make(pipeline):
            made = Users(make_target(pipeline))
            ends.callback(made.drop)
            return made

        yield make


def refusal(connection, statement):
    with pytest.raises(pymysql.err.MySQLError) as failure:
        connection.run(statement)
    return failure.value.args[0]


def test_a_user_is_made_once_and_keeps_its_password(users):
    name, made = users.make("loader")

    again = users.again(name, "loader", Secret("another"))

    assert made == (
        f"created the user {name} (password)",
        f"granted {name} what the loader needs in {users.target.database.name}",
    )
    assert again == ()
    users.connect(name)


@pytest.mark.parametrize("name", ["", "two words", "it's", "a" * 33, "name@host"])
def test_a_name_that_is_none_is_refused(target, name):
    with pytest.raises(UserNameError):
        ensure_user(target.connection, DatabaseUser(name, "loader", PASSWORD), tables=target.tables)


def test_the_loader_loads_in_every_mode_with_what_it_is_granted(users_of, mode):
    users = users_of(a_pipeline(a_column("id", "varchar(40)"), a_column("n", "int"), mode=mode, max_reject_share=0.5))
    target, (name, _) = users.target, users.make("loader")
    pipeline = target.pipeline
    loader = target.make_loader(connect=lambda _: users.connect(name))
    gone = a_delete(pipeline, 3, "a") if mode != "soft_delete" else a_delete(pipeline, 3, "a")._replace(operation="S")

    beat = an_upsert(pipeline, 1_700_000_000_000 * 10**40, "", None)._replace(operation="H")

    first = loader.load(
        target.put(an_upsert(pipeline, 1, "a", "1"), an_upsert(pipeline, 2, "b", "2"), gone, beat), time=target.time
    )
    slow = loader.load(
        target.put(an_upsert(pipeline, 4, "c", "x"), an_upsert(pipeline, 5, "d", "5"), key="b.csv"), time=target.time
    )

    assert (first.rows, first.landed.count) == (3, 1)
    assert slow == Outcome(rows=2, applied=1, rejected=1, newest_changed_at_ms=1000)


def test_the_loader_loads_through_auroras_statement_with_what_it_is_granted(aws, database_server, users):
    target, (name, _) = users.target, users.make("loader")
    # The stand-in reads a file of the server's in the place of the object.
    target.query(f"GRANT FILE ON *.* TO '{name}'@'%'")
    bucket = aws.bucket()
    aws.client("s3").put_object(Bucket=bucket, Key="a.csv", Body=encode_row(an_upsert(target.pipeline, 1, "a", "Ada")))
    with AuroraProxy(
        s3=aws.client("s3"),
        server_host=database_server.host,
        server_port=database_server.port,
        files=database_server.files,
    ) as proxy:
        loader = target.make_loader(
            source=AuroraSource(), connect=lambda _: users.connect(name, host=proxy.host, port=proxy.port)
        )
        outcome = loader.load(an_object("a.csv", bucket=bucket), time=target.time)

    assert outcome == Outcome(rows=1, applied=1, newest_changed_at_ms=1000)
    assert target.rows() == (("a", "Ada"),)


def test_the_loader_can_do_nothing_but_load(users):
    target, (name, _) = users.target, users.make("loader")
    connection, _ = users.connect(name)
    database = target.database.name

    refused = [
        refusal(connection, statement)
        for statement in (
            f"DROP TABLE {target.name()}",
            f"TRUNCATE TABLE {target.name()}",
            f"ALTER TABLE {target.name()} ADD COLUMN more int",
            f"CREATE TABLE `{database}`.more (id int)",
            f"DELETE FROM {target.name('__tombstones')}",
            f"DELETE FROM `{database}`._ddb2aurora_loads",
            f"SELECT * FROM `{database}`._ddb2aurora_rejects",
            f"UPDATE `{database}`._ddb2aurora_horizons SET horizon_ms = 0",
            f"INSERT INTO `{database}`._ddb2aurora_shapes (generation) VALUES (1)",
            "SELECT * FROM mysql.user",
        )
    ]

    assert refused == [1142] * len(refused)


def test_a_name_with_an_underscore_grants_nothing_in_another_database(users):
    target, (name, _) = users.target, users.make("operator")
    # test_… and testx… differ in the place of the underscore alone.
    other = target.database.name.replace("_", "x", 1)
    target.query(f"CREATE DATABASE {other}")
    try:
        connection, _ = users.connect(name)
        number = refusal(connection, f"CREATE TABLE {other}.t (id int)")
    finally:
        target.query(f"DROP DATABASE {other}")

    assert number in (1044, 1142)


def test_the_operators_user_does_what_its_commands_do(users):
    target, (name, _) = users.target, users.make("operator")
    pipeline, database = target.pipeline, target.database.name
    ref = target.put(an_upsert(pipeline, 1, "a", "Ada"))
    target.loader.load(ref, time=target.time)
    connection, server = users.connect(name)

    purged = purge(connection, pipeline, server=server, database=database, older_than_ms=1000)
    swept = connection.rows(f"SELECT object_id FROM `{database}`._ddb2aurora_loads")
    connection.run(f"CREATE TABLE {target.name('2')} LIKE {target.name()}")
    connection.run(f"INSERT INTO {target.name('2')} SELECT * FROM {target.name()}")
    connection.run(f"RENAME TABLE {target.name()} TO {target.name('3')}, {target.name('2')} TO {target.name()}")
    connection.run(f"DROP TABLE {target.name('3')}")
    connection.run(f"UPDATE {target.name()} SET name = 'Bob'")

    assert (purged.tombstones, swept) == (0, ((ref.object_id,),))
    assert target.rows() == (("a", "Bob"),)
    assert refusal(connection, "CREATE DATABASE more") in (1044, 1142)


def test_a_login_by_iam_is_refused_by_a_server_that_knows_none(target):
    with pytest.raises(NoIamAuthenticationError) as failure:
        ensure_user(target.connection, DatabaseUser("nobody", "loader"), tables=target.tables)

    assert str(failure.value) == (
        "the server has no AWSAuthenticationPlugin, so nobody cannot log in by IAM: only RDS and Aurora with IAM "
        "database authentication do that; elsewhere use --user-auth password"
    )


def test_the_loader_is_granted_something_on_every_table_that_migrate_makes(target):
    on = [what for _, what in grants("loader", target.tables)]

    assert on[1:] == [table.quoted for table in target.tables.lasting]


def test_a_database_without_wildcards_in_grants_is_named_as_it_is(target):
    (_, on), *_ = grants("operator", target.tables, wildcards=False)
    (_, escaped), *_ = grants("operator", target.tables)

    assert (on, escaped) == (f"`{target.database.name}`.*", f"`{target.database.name.replace('_', chr(92) + '_')}`.*")


def test_a_user_that_may_make_no_users_is_told_so(users):
    target, (name, _) = users.target, users.make("operator")
    connection, _ = users.connect(name)

    with pytest.raises(DatabaseHaltError, match=r"granting failed on another: error 1227"):
        ensure_user(connection, DatabaseUser("another", "loader", PASSWORD), tables=target.tables)


def test_a_role_that_may_not_be_granted_is_no_reason_to_go_on_without_it(users):
    connection, _ = users.target.connect()
    run_statement = connection.run

    def run(statement, *rest):
        if "AWS_LOAD_S3_ACCESS" in statement:
            raise pymysql.err.OperationalError(1227, "Access denied")
        return run_statement(statement, *rest)

    connection.run = run
    name = f"loader_{secrets.token_hex(4)}"
    users.names.append(name)

    with pytest.raises(DatabaseHaltError, match=r"error 1227 of the database; grant AWS_LOAD_S3_ACCESS"):
        ensure_user(connection, DatabaseUser(name, "loader", PASSWORD), tables=users.target.tables)
