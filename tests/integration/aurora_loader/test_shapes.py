"""Rows of older versions of the pipeline file are placed by name; those of unknown and newer ones wait as objects."""
# ruff: noqa: S608 - tests name their own tables

import msgspec
import pytest
from loader_fixtures import a_column, a_delete, a_pipeline, an_object, an_upsert

from aurora_loader.load import Outcome
from aurora_loader.sources import AuroraSource
from aurora_loader.staging import BeyondHorizonError
from aurora_loader.translation import ShapeError, UnknownShapeError
from ddb2aurora.database.horizon import raise_horizon
from ddb2aurora.database.shapes import ShapeEntryError, note_shape
from ddb2aurora.dialect import encode_row
from local_aws.aurora.proxy import AuroraProxy

ID, NAME, N = a_column("id", "varchar(40)"), a_column("name", "varchar(40)"), a_column("n", "int")
# Neither the same places nor the same number of columns.
OLD = (N, a_column("gone", "varchar(40)"), ID, NAME, a_column("gone_too", "varbinary(8)"))
NEW = (ID, a_column("added", "varchar(40)"), NAME, a_column("n", "bigint"))


class Rollout:
    """A target of today's columns, and the pipelines whose columns were noted before."""

    def __init__(self, make_target, *earlier, today=NEW, **parts):
        self.earlier = [a_pipeline(*columns, **parts) for columns in earlier]
        self.target = make_target(a_pipeline(*today, **parts))
        self.target.query(f"DELETE FROM `{self.target.database.name}`._ddb2aurora_shapes")
        for pipeline in (*self.earlier, self.target.pipeline):
            note_shape(self.target.connection, self.target.tables, pipeline)

    @property
    def old(self):
        return self.earlier[0]

    @property
    def new(self):
        return self.target.pipeline


@pytest.fixture
def rollout(make_target):
    return Rollout(make_target, OLD)


def test_an_object_of_an_older_shape_is_placed_by_the_names_of_its_columns(rollout):
    target, old = rollout.target, rollout.old

    outcome = target.load(
        an_upsert(old, 1, "5", "x", "a", "Ada", "00ff", changed_at_ms=4000),
        an_upsert(old, 2, "6", "y", "b", None, None),
        a_delete(old, 3, None, None, "b"),
    )

    assert outcome == Outcome(rows=3, applied=1, stale=1, deleted=1, newest_changed_at_ms=4000)
    assert target.rows() == (("a", None, "Ada", 5),)
    assert target.query(f"SELECT id, _version FROM {target.name('__tombstones')}") == (("b", 3),)
    assert target.ledger() == (("processed/things/a.csv", 3, 1, 1, 1, 0),)


def test_an_object_of_two_shapes_loses_and_misplaces_no_row(rollout):
    target, old, new = rollout.target, rollout.old, rollout.new

    outcome = target.load(
        an_upsert(new, 1, "a", "new", "Ada", "1"),
        an_upsert(old, 2, "2", "x", "b", "Bob", None),
        an_upsert(old, 9, "9", "x", "a", "Ada again", None),
        an_upsert(new, 4, "c", "new", "Cid", "4"),
        a_delete(old, 5, None, None, "c"),
    )

    assert outcome == Outcome(rows=5, applied=3, stale=1, deleted=1, newest_changed_at_ms=1000)
    assert target.rows() == (("a", None, "Ada again", 9), ("b", None, "Bob", 2))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_shapes_of_one_item_the_newer_row_counts_whole_in_whatever_order_they_come(rollout, order):
    target, old, new = rollout.target, rollout.old, rollout.new
    rows = (an_upsert(new, 20, "a", "known", "Ada", "1"), an_upsert(old, 30, "2", "x", "a", "Ada", None))

    for place in order:
        target.load(rows[place], key=f"{place}.csv")

    # What the older shape did not say is unknown, not what an older change said.
    assert target.rows() == (("a", None, "Ada", 2),)


def test_a_shape_with_as_many_columns_is_not_taken_for_todays(make_target):
    rollout = Rollout(make_target, (NAME, ID), today=(ID, NAME))

    rollout.target.load(an_upsert(rollout.old, 1, "Ada", "a"))

    assert rollout.target.rows() == (("a", "Ada"),)


def test_a_text_that_became_longer_a_number_that_became_wider_and_binary_are_carried(make_target):
    rollout = Rollout(
        make_target,
        (a_column("b", "varbinary(4)"), a_column("d", "decimal(6,2)"), a_column("t", "varchar(10)"), ID),
        today=(ID, a_column("t", "text"), a_column("d", "decimal(10,4)"), a_column("b", "blob")),
    )

    rollout.target.load(an_upsert(rollout.old, 1, "00ff5c2c", "1.5", 'a,"\\', "a"))

    assert [tuple(map(str, row)) for row in rollout.target.rows()] == [("a", 'a,"\\', "1.5000", r"b'\x00\xff\\,'")]


def test_a_value_of_an_older_shape_that_fits_no_more_is_a_reject_with_its_line(make_target):
    rollout = Rollout(make_target, (NAME, ID), today=(ID, a_column("name", "varchar(3)")))
    refused = an_upsert(rollout.old, 2, "Berta", "b")

    outcome = rollout.target.load(an_upsert(rollout.old, 1, "Ada", "a"), refused)

    assert outcome == Outcome(rows=2, applied=1, rejected=1, newest_changed_at_ms=1000)
    assert rollout.target.rejects() == ((2, 1406, "too_long in column name", encode_row(refused).removesuffix(b"\n")),)


def test_a_line_with_another_number_of_fields_than_its_own_shape_is_malformed(rollout):
    target, old = rollout.target, rollout.old

    outcome = target.load(an_upsert(old, 1, "5", "x", "a", "Ada", None), an_upsert(old, 2, "b", "too", "few", "5"))

    assert outcome == Outcome(rows=2, applied=1, rejected=1, newest_changed_at_ms=1000)
    assert target.rejects("line_number, reason") == ((2, "malformed_line"),)


def test_a_column_that_forbids_null_is_never_filled_with_something_made_up(make_target):
    must = a_column("must", "int", nullable=False)
    rollout = Rollout(make_target, (NAME, ID), today=(ID, must, NAME))
    target, old = rollout.target, rollout.old
    target.query(f"ALTER TABLE {target.name()} MODIFY must int NULL")  # as it is while the column is being filled

    outcome = target.load(
        an_upsert(rollout.new, 1, "a", "1", "Ada"), an_upsert(old, 2, "Bob", "b"), a_delete(old, 3, None, "c")
    )

    assert outcome == Outcome(rows=3, applied=1, deleted=1, rejected=1, newest_changed_at_ms=1000)
    assert target.rows() == (("a", 1, "Ada"),)
    assert target.rejects("line_number, error_code, reason") == ((2, 0, "null_not_allowed in column must"),)


@pytest.mark.parametrize("mode", ["mirror", "append"])
@pytest.mark.parametrize("neighbours", [0, 1])
def test_a_heartbeat_of_an_older_shape_lands(make_target, mode, neighbours):
    fact = msgspec.structs.replace(a_column("event", "varchar(9)", nullable=False), source="$event_name", path=())
    rollout = Rollout(make_target, (NAME, ID), today=(ID, fact, NAME), mode=mode)
    beat = an_upsert(rollout.old, 1_700_000_000_000 * 10**40, None, "")._replace(operation="H")
    rows = [an_upsert(rollout.new, 1, "a", "INSERT", "Ada")] * neighbours

    outcome = rollout.target.load(beat, *rows)

    assert (outcome.landed.count, outcome.rows, outcome.rejected) == (1, neighbours, 0)


def test_rejects_of_an_older_shape_stop_the_object_when_they_are_too_many(make_target):
    must = a_column("must", "int", nullable=False)
    rollout = Rollout(make_target, (NAME, ID), today=(ID, must, NAME), max_reject_share=0)

    with pytest.raises(Exception, match=r"more than 0\.0% of its 1 rows are refused"):
        rollout.target.load(an_upsert(rollout.old, 2, "Bob", "b"))

    assert (rollout.target.rows(), rollout.target.rejects(), rollout.target.ledger()) == ((), (), ())


@pytest.mark.parametrize("also", ["nothing", "malformed", "a row of today"])
def test_an_object_of_a_shape_that_nobody_noted_waits_as_a_whole(rollout, also):
    target = rollout.target
    unknown = a_pipeline(*NEW, a_column("tomorrow", "int"))
    others = {
        "nothing": (),
        "malformed": (b"malformed\n",),
        "a row of today": (an_upsert(rollout.new, 1, "a", None, None, None),),
    }

    with pytest.raises(UnknownShapeError) as failure:
        target.load(an_upsert(unknown, 2, "b", None, None, None, "7"), *others[also])

    assert str(failure.value) == (
        f"s3://bucket/processed/things/a.csv holds rows of shape '{unknown.shape}', which was never noted; pipeline "
        f"things has shape {rollout.new.shape}. If the transformer has a newer pipeline file, run ddb2aurora migrate "
        "with it and deploy the loader; a changed pipeline file is rolled out in this order: ddb2aurora migrate, the "
        "loader, the transformer"
    )
    assert (target.rows(), target.rejects(), target.ledger()) == ((), (), ())


def test_an_object_of_a_newer_shape_waits_for_a_newer_loader_and_then_loads_whole(make_target):
    rollout = Rollout(make_target, NEW, today=OLD)
    target, newer = rollout.target, a_pipeline(*OLD, a_column("tomorrow", "int"))
    ref = target.put(an_upsert(newer, 1, "5", "x", "a", "Ada", None, "7"))
    target.query(f"ALTER TABLE {target.name()} ADD COLUMN tomorrow int NULL")
    note_shape(target.connection, target.tables, newer)

    with pytest.raises(UnknownShapeError, match=f"newer than shape {rollout.new.shape} of this loader's pipeline"):
        target.loader.load(ref, time=target.time)
    target.pipeline = msgspec.structs.replace(newer, target_database=target.database.name)
    outcome = target.make_loader().load(ref, time=target.time)

    assert outcome == Outcome(rows=1, applied=1, newest_changed_at_ms=1000)
    assert target.rows("id, n, tomorrow") == (("a", 5, 7),)


def test_an_object_of_a_noted_shape_waits_for_a_loader_whose_own_columns_were_noted(rollout):
    target = rollout.target
    target.query(f"DELETE FROM `{target.database.name}`._ddb2aurora_shapes WHERE generation = 2")

    with pytest.raises(UnknownShapeError, match=r"were never noted: run ddb2aurora migrate"):
        target.load(an_upsert(rollout.old, 1, "5", "x", "a", "Ada", None))

    assert (target.rows(), target.ledger()) == ((), ())


@pytest.mark.parametrize("noted", ["", "[]x", '[["id"]]', '[["id", "geometry"]]'])
def test_columns_that_another_version_noted_and_this_one_cannot_read_halt_the_object(rollout, noted):
    target = rollout.target
    target.query(f"UPDATE `{target.database.name}`._ddb2aurora_shapes SET columns_json = '{noted}'")

    with pytest.raises(
        ShapeEntryError, match=r"_ddb2aurora_shapes holds columns of Things that this version cannot read"
    ):
        target.load(an_upsert(rollout.old, 1, "5", "x", "a", "Ada", None))

    assert (target.rows(), target.ledger()) == ((), ())


def test_rows_of_the_version_that_was_taken_back_are_placed_in_the_older_one_that_returned(make_target):
    rollout = Rollout(make_target, OLD, NEW, today=OLD)

    rollout.target.load(an_upsert(rollout.earlier[1], 3, "a", "lost", "Ada", "3"))

    assert rollout.target.rows("n, id, name") == ((3, "a", "Ada"),)


def test_a_column_that_was_gone_for_a_while_does_not_take_what_an_older_one_of_its_name_held(make_target):
    rollout = Rollout(make_target, (ID, NAME), (ID,), today=(ID, NAME, N))

    rollout.target.load(an_upsert(rollout.old, 1, "a", "of another meaning"))

    assert rollout.target.rows() == (("a", None, None),)


@pytest.mark.parametrize(
    ("earlier", "today", "why"),
    [
        ("varchar(40)", "int", "v was varchar(40) and is int"),
        ("int", "varchar(40)", "v was int and is varchar(40)"),
        ("varchar(40)", "varbinary(40)", "v was varchar(40) and is varbinary(40)"),
        ("datetime(3)", "datetime", "v was datetime(3) and is datetime"),
    ],
)
def test_a_change_of_type_that_would_guess_halts_the_object(make_target, earlier, today, why):
    rollout = Rollout(make_target, (a_column("v", earlier), ID), today=(ID, a_column("v", today)))

    with pytest.raises(ShapeError) as failure:
        rollout.target.load(an_upsert(rollout.old, 1, None, "a"))

    assert f"cannot be carried over: {why}. Nothing of it was loaded" in str(failure.value)
    assert (rollout.target.rows(), rollout.target.ledger()) == ((), ())


def test_a_row_without_a_field_for_the_key_halts_the_object(make_target):
    rollout = Rollout(make_target, (a_column("key", "varchar(40)"), NAME), today=(ID, NAME), key=("id",))

    with pytest.raises(ShapeError, match="the key id is new"):
        rollout.target.load(an_upsert(rollout.old, 1, "a", "Ada"))

    assert rollout.target.rows() == ()


def test_an_object_of_an_older_shape_beyond_the_horizon_is_refused(rollout):
    target = rollout.target
    raise_horizon(target.connection, target.tables, horizon_ms=2000)

    with pytest.raises(BeyondHorizonError):
        target.load(an_upsert(rollout.old, 1, "5", "x", "a", "Ada", None, changed_at_ms=1999))

    assert (target.rows(), target.ledger()) == ((), ())


def test_a_whole_object_of_an_older_shape_is_loaded_by_one_statement(rollout):
    statements = []

    def connect(settings):
        connection, server = rollout.target.connect(settings)
        run = connection.run
        connection.run = lambda statement, *rest: (statements.append(statement), run(statement, *rest))[1]
        return connection, server

    rows = [an_upsert(rollout.old, number, "5", "x", f"k{number}", None, None) for number in range(1200)]
    outcome = rollout.target.make_loader(connect=connect).load(rollout.target.put(*rows), time=rollout.target.time)

    assert outcome == Outcome(rows=1200, applied=1200, newest_changed_at_ms=1000)
    assert [one for one in statements if one.startswith(f"INSERT INTO {rollout.target.tables.staging.quoted}")] == []


def test_older_shapes_are_placed_by_name_where_aurora_reads_the_objects_itself(aws, database_server, rollout):
    target, old, bucket = rollout.target, rollout.old, aws.bucket()
    with AuroraProxy(
        s3=aws.client("s3"),
        server_host=database_server.host,
        server_port=database_server.port,
        files=database_server.files,
    ) as proxy:
        loader = target.make_loader(
            source=AuroraSource(),
            connect=lambda settings: target.connect(
                type(settings)(
                    host=proxy.host, port=proxy.port, name=None, user=settings.user, password=settings.password
                )
            ),
        )
        for key, rows in {
            "old.csv": [an_upsert(old, 1, "5", "x", "a", "Ada", "00ff")],
            "mixed.csv": [
                an_upsert(rollout.new, 2, "b", "new", "Bob", "6"),
                an_upsert(old, 3, "7", "x", "c", "Cid", None),
            ],
        }.items():
            aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"".join(map(encode_row, rows)))
            loader.load(an_object(key, bucket=bucket), time=target.time)

    assert target.rows() == (("a", None, "Ada", 5), ("b", "new", "Bob", 6), ("c", None, "Cid", 7))
