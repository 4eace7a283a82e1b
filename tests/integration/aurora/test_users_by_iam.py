"""The users that `migrate` makes on Aurora: they log in by token and TLS alone, and load what S3 holds."""

import secrets
from contextlib import ExitStack

import boto3
import pymysql
import pytest
from certificates import Authority
from loader_fixtures import an_object, an_upsert

from aurora_loader.outcome import Outcome
from aurora_loader.sources import AuroraSource
from ddb2aurora.database.connect import connect
from ddb2aurora.database.credentials import Credentials
from ddb2aurora.database.settings import DatabaseSettings
from ddb2aurora.database.users import DatabaseUser, ensure_user
from ddb2aurora.dialect import encode_row
from ddb2aurora.settings import Secret
from local_aws.aurora.door import Door, Guard
from local_aws.aurora.proxy import AuroraProxy
from local_aws.services.ports import free_port

NAMES = {"loader": "ddb2aurora_loader", "operator": "ddb2aurora_operator"}


class Aurora:
    """A cluster behind its door, whose users log in by IAM, and the master of it."""

    def __init__(self, door, authority, target):
        self.target = target
        self._door, self._authority = door, authority
        self.master, _ = self._connect(target.settings.user, target.settings.password.reveal())
        self.said = {
            role: ensure_user(self.master, DatabaseUser(NAMES[role], role), tables=target.tables) for role in NAMES
        }

    def by_token(self, role):
        client = boto3.client(
            "rds", region_name="us-east-1", aws_access_key_id="A", aws_secret_access_key=secrets.token_hex(8)
        )
        token = client.generate_db_auth_token(DBHostname="localhost", Port=self._door.port, DBUsername=NAMES[role])
        client.close()
        return self._connect(NAMES[role], token, iam=True)

    def _connect(self, user, password, *, iam=False):
        settings = DatabaseSettings("localhost", self._door.port, None, user, iam=iam, ca_file=self._authority.file)
        return connect(settings, credentials=lambda: Credentials(user, Secret(password)))


@pytest.fixture
def aurora(aws, database_server, target, tmp_path):
    authority, port = Authority(tmp_path), free_port()
    certificate, key = authority.certify("database", ["localhost"])
    guard = Guard(certificate=certificate, key=key, iam_users=set(NAMES.values()), endpoint=f"localhost:{port}")
    server = {"server_host": database_server.host, "server_port": database_server.port, "files": database_server.files}
    with ExitStack() as running:
        for name in NAMES.values():
            running.callback(target.query, f"DROP USER IF EXISTS '{name}'@'%'")
        proxy = running.enter_context(AuroraProxy(s3=aws.client("s3"), **server))
        door = running.enter_context(Door(guard, inside=("127.0.0.1", proxy.port), host="127.0.0.1", port=port))
        cluster = Aurora(door, authority, target)
        running.callback(cluster.master.close)
        yield cluster


def test_they_are_made_for_iam_and_once(aurora):
    database = aurora.target.database.name

    again = ensure_user(aurora.master, DatabaseUser(NAMES["loader"], "loader"), tables=aurora.target.tables)

    assert aurora.said["loader"] == (
        "created the user ddb2aurora_loader (iam)",
        f"granted ddb2aurora_loader what the loader needs in {database}",
    )
    assert again == ()


def test_the_loader_loads_from_s3_with_a_token_and_its_grants(aurora, aws):
    target, bucket = aurora.target, aws.bucket()
    aws.client("s3").put_object(Bucket=bucket, Key="a.csv", Body=encode_row(an_upsert(target.pipeline, 1, "a", "Ada")))
    loader = target.make_loader(source=AuroraSource(), connect=lambda _: aurora.by_token("loader"))

    outcome = loader.load(an_object("a.csv", bucket=bucket), time=target.time)

    assert outcome == Outcome(rows=1, applied=1, newest_changed_at_ms=1000)
    assert target.rows() == (("a", "Ada"),)


def test_the_loader_may_not_drop_its_table_and_the_operator_may(aurora):
    loader, _ = aurora.by_token("loader")
    operator, _ = aurora.by_token("operator")

    with pytest.raises(pymysql.err.MySQLError) as refused:
        loader.run(f"DROP TABLE {aurora.target.name()}")
    operator.run(f"DROP TABLE {aurora.target.name()}")
    loader.close()
    operator.close()

    assert refused.value.args[0] == 1142
