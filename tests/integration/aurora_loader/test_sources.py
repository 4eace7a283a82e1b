"""The two ways of an object into the database, with a real bucket, and what no server gets."""

import socket
import threading
import tracemalloc

import pytest
from loader_fixtures import a_column, a_pipeline, an_upsert

from aurora_loader.load import Outcome
from aurora_loader.sources import AuroraSource, LocalSource, ObjectRefusedError, ObjectUnreadableError
from ddb2aurora.database.connection import DatabaseConnection, LocalFileRefusedError
from ddb2aurora.database.errors import DatabaseHaltError
from ddb2aurora.database.ledger import make_object_ref
from ddb2aurora.dialect import encode_row
from local_aws.aurora.proxy import AuroraProxy

AWKWARD_KEY = "processed/a b+c='é\"\\%s`.csv"


@pytest.fixture
def bucket(aws):
    return aws.bucket()


def put(aws, bucket, key, *rows):
    content = b"".join(map(encode_row, rows))
    answer = aws.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    return make_object_ref(bucket, key, etag=answer["ETag"], size=len(content), region=aws.region)


@pytest.fixture
def from_s3(aws, database, make_target):
    """Make a target whose loader speaks to a server that understands LOAD DATA FROM S3."""
    with AuroraProxy(
        s3=aws.client("s3"), server_host=database.host, server_port=database.port, files=database.server.files
    ) as proxy:

        def make(pipeline=None):
            target = make_target(pipeline)
            settings = type(target.settings)(
                host=proxy.host, port=proxy.port, name=None, user=database.user, password=target.settings.password
            )
            target.loader = target.make_loader(source=AuroraSource(), connect=lambda _: target.connect(settings))
            return target

        yield make


@pytest.fixture
def local(aws, make_target):
    """Make a target whose loader sends objects of the bucket itself."""

    def make(pipeline=None):
        target = make_target(pipeline)
        target.loader = target.make_loader(source=LocalSource(aws.client("s3")))
        return target

    return make


@pytest.fixture(params=["local", "from_s3"])
def make_either(request):
    return request.getfixturevalue(request.param)


def test_an_object_with_an_awkward_name_is_loaded(aws, bucket, make_either):
    target = make_either()
    ref = put(aws, bucket, AWKWARD_KEY, an_upsert(target.pipeline, 1, "a", "x,\n\\N"))

    outcome = target.loader.load(ref, time=target.time)

    assert outcome == Outcome(rows=1, applied=1, newest_changed_at_ms=1000)
    assert target.rows() == (("a", "x,\n\\N"),)
    assert target.ledger("bucket, object_key, object_version, bytes") == ((bucket, AWKWARD_KEY, ref.etag, ref.size),)


def test_rejects_are_found_either_way(aws, bucket, make_either):
    target = make_either(a_pipeline(a_column("id", "varchar(8)"), a_column("n", "decimal(4,1)")))
    good, refused, rounded = (
        an_upsert(target.pipeline, number, f"k{number}", text) for number, text in enumerate(["1.5", "x", "1.55"])
    )
    ref = put(aws, bucket, "a.csv", good, refused, good, rounded, good)

    outcome = target.loader.load(ref, time=target.time)

    assert (outcome.rows, outcome.applied, outcome.stale, outcome.rejected) == (5, 1, 2, 2)
    assert target.rejects("line_number, error_code, reason") == (
        (2, 1366, "bad_value in column n"),
        (4, 1265, "inexact_value in column n"),
    )


def test_an_object_that_is_gone_is_reported_to_be_tried_again(aws, bucket, local):
    target = local()
    ref = put(aws, bucket, "a.csv", an_upsert(target.pipeline, 1, "a", "x"))
    aws.client("s3").delete_object(Bucket=bucket, Key="a.csv")

    with pytest.raises(ObjectUnreadableError) as failure:
        target.loader.load(ref, time=target.time)

    assert str(failure.value) == f"reading s3://{bucket}/a.csv failed: NoSuchKey; it is not there (any more)"
    assert target.ledger() == ()


def test_a_bucket_that_is_not_there_halts(local):
    target = local()

    with pytest.raises(ObjectRefusedError):
        target.loader.load(make_object_ref("no-such-bucket-here", "a.csv"), time=target.time)

    assert target.ledger() == ()


def test_a_server_that_does_not_know_the_aurora_statement_halts_with_the_mend(make_target):
    target = make_target()
    loader = target.make_loader(source=AuroraSource())

    with pytest.raises(DatabaseHaltError) as failure:
        loader.load(target.put(an_upsert(target.pipeline, 1, "a", "x")), time=target.time)

    assert str(failure.value) == (
        "loading failed on s3://bucket/processed/things/a.csv: error 1064 of the database; "
        "LOAD_MODE=s3 needs Aurora MySQL; set LOAD_MODE=local for any other server"
    )


def test_memory_does_not_grow_with_the_object(aws, bucket, local):
    target = local(a_pipeline(a_column("id", "varchar(40)"), a_column("note", "text")))
    rows = [an_upsert(target.pipeline, 1, f"k{number}", "x" * 60_000) for number in range(350)]
    ref = put(aws, bucket, "large.csv", *rows)
    del rows
    tracemalloc.start()

    outcome = target.loader.load(ref, time=target.time)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert outcome.applied == 350
    assert ref.size > 20_000_000
    assert peak < 6_000_000


class LyingServer:
    """A server that answers any statement by asking for a file of the client's."""

    def __init__(self, wanted: bytes) -> None:
        self.wanted = wanted
        self.received: list[bytes] = []
        ours, self.theirs = socket.socketpair()
        self.connection = DatabaseConnection(
            host="lying.test", user="u", password="p", local_infile=True, defer_connect=True
        )
        self.connection._sock = ours
        self.connection._rfile = ours.makefile("rb")
        self.connection._read_timeout = None
        self.connection._current_timeout = None
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.connection._force_close()
        self._thread.join(timeout=10)
        self.theirs.close()

    def _serve(self) -> None:
        reader = self.theirs.makefile("rb")
        self._packet(reader)
        self.theirs.sendall(bytes([len(self.wanted) + 1, 0, 0, 1, 0xFB]) + self.wanted)
        while packet := self._packet(reader):
            self.received.append(packet)
        self.theirs.sendall(bytes([7, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0]))
        reader.close()

    @staticmethod
    def _packet(reader) -> bytes:
        header = reader.read(4)
        return reader.read(int.from_bytes(header[:3], "little")) if header else b""


def test_a_server_that_asks_for_a_file_after_any_statement_gets_nothing(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")

    with LyingServer(str(secret).encode()) as server, pytest.raises(LocalFileRefusedError):
        server.connection.run("SELECT 1")

    assert server.received == []


def test_a_server_that_asks_for_another_file_during_a_load_gets_nothing(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")

    with LyingServer(str(secret).encode()) as server, pytest.raises(LocalFileRefusedError) as failure:
        server.connection.run_local("LOAD DATA LOCAL INFILE {file} INTO TABLE t", [b"rows"])

    assert server.received == []
    assert str(failure.value) == (
        "the server lying.test:3306 asked for a file of this machine that no load offered; nothing was sent. "
        "Do not trust this server"
    )
