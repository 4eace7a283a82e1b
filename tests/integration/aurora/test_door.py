"""Who is let in by the door of the database, and who is not; the client is the code that runs on AWS."""

import contextlib
import re
import secrets

import boto3
import pymysql
import pytest
from certificates import Authority

from ddb2aurora.database.connect import connect
from ddb2aurora.database.credentials import Credentials
from ddb2aurora.database.errors import DatabaseHaltError
from ddb2aurora.database.settings import DatabaseSettings
from ddb2aurora.settings import Secret
from local_aws.aurora.door import Door, Guard
from local_aws.aurora.proxy import AuroraProxy
from local_aws.services.ports import free_port

USER = "token_user"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def door(aws, database_server, authority):
    """A door before the proxy before the server; USER has to show a token there."""
    certificate, key = authority.certify("database", ["localhost"])
    port = free_port()
    guard = Guard(certificate=certificate, key=key, iam_users={USER}, endpoint=f"localhost:{port}")
    server = {"server_host": database_server.host, "server_port": database_server.port, "files": database_server.files}
    with (
        AuroraProxy(s3=aws.client("s3"), **server) as proxy,
        Door(guard, inside=("127.0.0.1", proxy.port), host="127.0.0.1", port=port) as running,
    ):
        yield running


@pytest.fixture
def token_user(door, database, authority):
    """Make USER through the door, in Aurora's words."""
    with contextlib.closing(administrator(door, database, authority)) as session, session.cursor() as cursor:
        cursor.execute(f"CREATE USER '{USER}'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL")
        cursor.execute(f"GRANT SELECT ON {database.name}.* TO '{USER}'@'%'")
        yield USER
        cursor.execute(f"DROP USER '{USER}'@'%'")


def administrator(door, database, authority):
    return pymysql.connect(
        host="localhost",
        port=door.port,
        user=database.user,
        password=database.password,
        ssl_ca=str(authority.file),
        ssl_verify_cert=True,
        ssl_verify_identity=True,
    )


def token_for(user, *, port, host="localhost", service="rds"):
    client = boto3.client(
        service, region_name="us-east-1", aws_access_key_id="A-KEY", aws_secret_access_key=secrets.token_hex(8)
    )
    with contextlib.closing(client):
        return client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user)


def by_iam(door, authority, token):
    """Connect as a function does that is told DB_AUTH=iam and DB_TLS=verify."""
    settings = DatabaseSettings("localhost", door.port, None, USER, iam=True, ca_file=authority.file)
    session, _ = connect(settings, credentials=lambda: Credentials(USER, Secret(token)))
    with contextlib.closing(session), session.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER()")
        return cursor.fetchone()


def test_a_token_lets_its_user_in(door, authority, token_user):
    assert by_iam(door, authority, token_for(token_user, port=door.port)) == (f"{USER}@%",)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:0],
        lambda token: token.replace("=", "-"),
        lambda token: token.replace("localhost", "elsewhere"),
        lambda token: token.replace(f"DBUser={USER}", "DBUser=somebody"),
        lambda token: token.replace("Action=connect", "Action=other"),
        lambda token: token.replace("rds-db", "s3"),
        lambda token: token.replace("X-Amz-Expires=900", "X-Amz-Expires=9000"),
        lambda token: token[: token.index("X-Amz-Signature")],
        lambda token: re.sub("X-Amz-Date=[0-9]+", "X-Amz-Date=20200101", token),
    ],
    ids=["nothing", "nonsense", "host", "user", "action", "service", "lifetime", "unsigned", "stale"],
)
def test_another_token_lets_nobody_in(door, authority, token_user, change):
    token = change(token_for(token_user, port=door.port))

    with pytest.raises(DatabaseHaltError):
        by_iam(door, authority, token)


def test_a_user_with_a_password_gets_in_without_a_token(door, database, authority):
    with contextlib.closing(administrator(door, database, authority)) as session, session.cursor() as cursor:
        cursor.execute("SELECT REPEAT('x', 3000000)")

        assert len(cursor.fetchone()[0]) == 3_000_000


def test_a_wrong_password_is_refused_as_by_the_server_itself(door, database, authority):
    database.password = "wrong"

    with pytest.raises(pymysql.err.OperationalError) as refused:
        administrator(door, database, authority)

    assert refused.value.args[0] == 1045


def test_who_does_not_encrypt_is_not_let_in(door, database):
    with pytest.raises(pymysql.err.OperationalError) as refused:
        pymysql.connect(
            host="localhost", port=door.port, user=database.user, password=database.password, ssl_disabled=True
        )

    assert refused.value.args[0] == 3159


def test_a_client_that_trusts_another_authority_does_not_connect(door, token_user, tmp_path):
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")

    with pytest.raises(DatabaseHaltError, match="certificate could not be verified"):
        by_iam(door, other, token_for(token_user, port=door.port))


def test_a_password_that_the_server_does_not_remember_gets_in_at_once(door, database, authority):
    name, database.password = database.name[:20], secrets.token_hex(8)
    with contextlib.closing(database.server.connect()) as session, session.cursor() as cursor:
        cursor.execute(f"CREATE USER '{name}'@'%' IDENTIFIED BY '{database.password}'")
    administrator_name, database.user = database.user, name

    administrator(door, database, authority).close()

    with contextlib.closing(database.server.connect(user=administrator_name)) as session, session.cursor() as cursor:
        cursor.execute(f"DROP USER '{name}'@'%'")
