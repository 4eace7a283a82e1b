"""Several objects of one event: one statement, one transaction, an entry for each; or each alone if one is bad."""
# ruff: noqa: S608 - tests name their own tables

import io
import json

import msgspec
import pymysql
import pytest
from loader_fixtures import a_delete, a_soft_delete, an_upsert

from aurora_loader.app import App
from aurora_loader.belonging import OtherPipelineError
from aurora_loader.load import BundleRefusedError, LoadFailedError
from aurora_loader.manifests import Manifests, bundles
from aurora_loader.outcome import Outcome
from aurora_loader.sources import AuroraSource
from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.ledger import make_object_ref
from ddb2aurora.database.shapes import note_shape
from ddb2aurora.dialect import encode_row
from ddb2aurora.heartbeat import Heartbeat, heartbeat_row
from ddb2aurora.metrics import Metrics
from local_aws.aurora.proxy import AuroraProxy

COUNTS = "object_key, rows_in_file, applied, stale, deleted, rejected, counted_in IS NULL"


class Recording(DatabaseConnection):
    """A connection that keeps its LOAD statements, and fails as it is told to."""

    def run(self, statement, arguments=()):
        if statement.startswith("LOAD"):
            self.loads.append(statement)
        effect = super().run(statement, arguments)
        if self.faults and statement.startswith(self.faults[0]):
            self.faults.pop(0)
            self._force_close()
            raise pymysql.err.OperationalError(2013, "lost")
        return effect


class Context:
    aws_request_id = "request"
    invoked_function_arn = "arn"

    def get_remaining_time_in_millis(self):
        return 60_000


class World:
    """A target behind Aurora's statement, a bucket of objects, and an App that may load them together."""

    def __init__(self, aws, proxy, target):
        self.aws, self.target = aws, target
        self.bucket = aws.bucket()
        self.loads, self.faults = [], []
        settings = type(target.settings)(
            host=proxy.host, port=proxy.port, name=None, user=target.settings.user, password=target.settings.password
        )

        def connect(_):
            connection, server = target.connect(settings)
            connection.__class__ = Recording
            connection.loads, connection.faults = self.loads, self.faults
            return connection, server

        self.loader = target.make_loader(source=AuroraSource(), connect=connect)
        self.manifests = Manifests(aws.client("s3"), pipeline="things")
        self.output = io.StringIO()
        metrics = Metrics(stage="aurora-loader", pipeline="things", clock_ms=lambda: 0, stream=self.output)
        self.app = App(self.loader, metrics, manifests=self.manifests)

    def put(self, key, *rows):
        content = b"".join(row if isinstance(row, bytes) else encode_row(row) for row in rows)
        answer = self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)
        return make_object_ref(self.bucket, key, etag=answer["ETag"], size=len(content), region=self.aws.region)

    def load_together(self, *refs):
        (bundle,) = bundles(refs)
        return self.loader.load_together(bundle, manifests=self.manifests, time=self.target.time)

    def handle(self, *refs):
        records = [
            {
                "eventSource": "aws:s3",
                "awsRegion": ref.region,
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": ref.bucket}, "object": {"key": ref.key, "size": ref.size, "eTag": ref.etag}},
            }
            for ref in refs
        ]
        return self.app.handle({"Records": records}, Context(), now_ms=2000)

    def metric(self, name):
        return sum(json.loads(line).get(name, 0) for line in self.output.getvalue().splitlines())

    def sums(self):
        ((count, *sums),) = self.target.query(
            "SELECT COUNT(*), SUM(rows_in_file), SUM(applied), SUM(stale), SUM(deleted), SUM(rejected) "
            f"FROM `{self.target.database.name}`._ddb2aurora_loads"
        )
        return (count, *map(int, sums))


@pytest.fixture
def world(aws, database, target):
    with AuroraProxy(
        s3=aws.client("s3"), server_host=database.host, server_port=database.port, files=database.server.files
    ) as proxy:
        yield World(aws, proxy, target)


def test_objects_of_an_event_are_loaded_by_one_statement(world):
    pipeline = world.target.pipeline
    refs = [
        world.put("processed/1 é.csv", an_upsert(pipeline, 1, "a", "old"), an_upsert(pipeline, 1, "b", "x")),
        world.put("processed/2.csv", an_upsert(pipeline, 2, "a", "new", changed_at_ms=5000)),
        world.put("processed/3.csv", a_delete(pipeline, 3, "b")),
        world.put("processed/4.csv"),
    ]

    answer = world.handle(*refs)

    assert answer == {"objects": 4}
    assert len(world.loads) == 1
    assert world.loads[0].startswith(
        f"LOAD DATA FROM S3 MANIFEST 's3-{world.aws.region}://{world.bucket}/manifests/things/"
    )
    assert world.target.rows() == (("a", "new"),)
    assert world.sums()[0:2] == (4, 4)
    assert sum(world.sums()[2:]) == 4
    first = min(refs, key=lambda ref: ref.object_id)
    assert [line[0] for line in world.target.ledger(COUNTS) if line[-1]] == [first.key]
    counted_in = world.target.ledger("object_key, counted_in")
    assert {bytes(other) for key, other in counted_in if key != first.key} == {first.object_id}
    assert [world.metric(name) for name in ("ObjectsLoaded", "RowsInObjects", "ObjectsFailed")] == [4, 4, 0]


def test_heartbeats_of_objects_that_are_loaded_together_land_and_are_no_rows(world):
    pipeline = world.target.pipeline
    beats = [heartbeat_row(Heartbeat(n, 1000 + n), pipeline=pipeline, streamed_at_ms=None) for n in (1, 2)]
    refs = [
        world.put("1.csv", an_upsert(pipeline, 1, "a", "x"), beats[0]),
        world.put("2.csv", beats[1], beats[0]),
    ]

    world.handle(*refs)

    assert len(world.loads) == 1
    assert world.sums() == (2, 1, 1, 0, 0, 0)
    sent = world.target.query(f"SELECT sent_at_ms FROM `{world.target.database.name}`._ddb2aurora_heartbeat ORDER BY 1")
    assert sent == ((1001,), (1002,))
    assert world.metric("HeartbeatsLoaded") == 3


def test_objects_that_were_loaded_are_left_out(world):
    pipeline = world.target.pipeline
    loaded = world.put("1.csv", an_upsert(pipeline, 1, "a", "x"))
    world.loader.load(loaded, time=world.target.time)
    world.target.query(f"TRUNCATE {world.target.name()}")
    refs = [loaded, *(world.put(f"{n}.csv", an_upsert(pipeline, n, f"k{n}", "y")) for n in (2, 3))]

    outcomes = world.load_together(*refs)
    again = world.load_together(*refs)

    assert outcomes[loaded] == Outcome(repeated=True)
    assert sum(outcome.applied for outcome in outcomes.values()) == 2
    assert set(again.values()) == {Outcome(repeated=True)}
    assert world.target.rows("id") == (("k2",), ("k3",))
    assert len(world.loads) == 2


@pytest.mark.parametrize(
    "bad", [b"malformed\n", b"{shape},X,1,1000,a,x\n", b"{shape},U,1,1000," + b"a" * 50 + b",x\n"],
    ids=["a malformed line", "an unknown operation", "too long a value"],
)  # fmt: skip
def test_a_bad_row_in_one_object_has_each_loaded_alone(world, bad):
    pipeline = world.target.pipeline
    refs = [
        world.put("good.csv", an_upsert(pipeline, 1, "good", "x")),
        world.put("bad.csv", an_upsert(pipeline, 1, "ok", "x"), bad.replace(b"{shape}", pipeline.shape.encode())),
    ]

    answer = world.handle(*refs)

    assert answer == {"objects": 2}
    assert world.target.rows("id") == (("good",), ("ok",))
    assert world.target.ledger(COUNTS) == (("bad.csv", 2, 1, 0, 0, 1, 1), ("good.csv", 1, 1, 0, 0, 0, 1))
    assert [world.metric(name) for name in ("ObjectsLoaded", "RowsInObjects", "RowsRejected")] == [2, 3, 1]


def test_an_object_of_an_older_shape_among_them_has_each_loaded_alone(world):
    target, pipeline = world.target, world.target.pipeline
    older = msgspec.structs.replace(pipeline, columns=pipeline.columns[::-1])
    target.query(f"DELETE FROM `{target.database.name}`._ddb2aurora_shapes")
    for noted in (older, pipeline):
        note_shape(target.connection, target.tables, noted)
    refs = [
        world.put("today.csv", an_upsert(pipeline, 1, "a", "Ada")),
        world.put("older.csv", an_upsert(older, 1, "Bob", "b")),
    ]

    answer = world.handle(*refs)

    assert answer == {"objects": 2}
    assert target.rows() == (("a", "Ada"), ("b", "Bob"))
    assert target.ledger(COUNTS) == (("older.csv", 1, 1, 0, 0, 0, 1), ("today.csv", 1, 1, 0, 0, 0, 1))


def test_a_refused_bundle_leaves_nothing(world):
    pipeline = world.target.pipeline
    refs = [
        world.put("1.csv", an_upsert(pipeline, 1, "a", "x")),
        world.put("2.csv", pipeline.shape.encode() + b",X,1,1,a,x\n"),
    ]

    with pytest.raises(BundleRefusedError):
        world.load_together(*refs)

    assert (world.target.rows(), world.target.ledger()) == ((), ())


def test_a_missing_object_does_not_keep_the_others(world):
    pipeline = world.target.pipeline
    refs = [world.put(f"{n}.csv", an_upsert(pipeline, 1, f"k{n}", "x")) for n in (1, 2, 3)]
    world.aws.client("s3").delete_object(Bucket=world.bucket, Key="2.csv")

    with pytest.raises(LoadFailedError):
        world.load_together(*refs)
    with pytest.raises(Exception, match=r"1 of 3 objects were not loaded"):
        world.handle(*refs)

    assert world.target.rows("id") == (("k1",), ("k3",))
    assert [world.metric(name) for name in ("ObjectsLoaded", "ObjectsFailed")] == [2, 1]


def test_an_object_of_another_pipeline_does_not_keep_the_others_and_halts(world):
    row = an_upsert(world.target.pipeline, 1, "a", "x")
    refs = [world.put(f"processed/{name}/things/1.csv", row) for name in ("things", "twins")]

    with pytest.raises(OtherPipelineError):
        world.load_together(*refs)
    loads_together = len(world.loads)
    with pytest.raises(OtherPipelineError):
        world.handle(*refs)

    assert (loads_together, [load.split(" ")[4] for load in world.loads]) == (0, ["FILE"])
    assert world.target.ledger("object_key") == (("processed/things/things/1.csv",),)


def test_an_object_that_is_announced_twice_is_loaded_once(world):
    ref = world.put("1.csv", an_upsert(world.target.pipeline, 1, "a", "x"))
    other = world.put("2.csv", a_soft_delete(world.target.pipeline, 2, "b"))

    answer = world.handle(ref, other, ref)

    assert answer == {"objects": 3}
    assert [world.metric(name) for name in ("ObjectsLoaded", "ObjectsRepeated")] == [2, 1]
    assert world.sums() == (2, 2, 1, 0, 1, 0)


def test_a_lost_answer_to_the_commit_of_several_is_found_in_the_ledger(world):
    refs = [world.put(f"{n}.csv", an_upsert(world.target.pipeline, 1, f"k{n}", "x")) for n in (1, 2)]
    world.faults.append("COMMIT")

    outcomes = world.load_together(*refs)

    assert sorted(outcome.applied for outcome in outcomes.values()) == [0, 2]
    assert not any(outcome.repeated for outcome in outcomes.values())
    assert world.sums() == (2, 2, 2, 0, 0, 0)


def test_without_manifests_each_object_is_a_statement_of_its_own(world):
    refs = [world.put(f"{n}.csv", an_upsert(world.target.pipeline, 1, f"k{n}", "x")) for n in (1, 2)]
    app = App(world.loader, Metrics(stage="aurora-loader", pipeline="things", clock_ms=lambda: 0, stream=io.StringIO()))
    world.app = app

    world.handle(*refs)

    assert [load.split(" ")[4] for load in world.loads] == ["FILE", "FILE"]
    assert world.target.ledger(COUNTS) == (("1.csv", 1, 1, 0, 0, 0, 1), ("2.csv", 1, 1, 0, 0, 0, 1))
