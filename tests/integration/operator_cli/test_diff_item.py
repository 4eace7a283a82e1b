"""`ddb2aurora diff-item` against the emulator and a database, as a user runs it."""
# ruff: noqa: S608 - tests name their own tables

import base64
import datetime as dt
import gzip
import json

import pytest
from builders import a_change
from loader_fixtures import a_column, a_delete, a_pipeline, an_upsert
from verify_fixtures import a_pair_of_keys

from ddb2aurora.database.ledger import make_object_ref
from ddb2aurora.dialect import encode_row
from ddb2aurora.envelope import encode_change
from ddb2aurora.failed import FailedRecord, encode_failed
from operator_cli.handler import CommandFailedError, run_command

_ITEM = {"id": "a", "no": 1, "name": "first"}
_KEY = '{"id": "a", "no": 1}'
_HOUR = "%Y/%m/%d/%H"


@pytest.fixture
def bucket(aws, pair):
    name = aws.bucket("diff")
    pair.environment = {**pair.environment, "BUCKET_NAME": name}
    return Bucket(aws.client("s3"), name, pair)


class Bucket:
    """The bucket of a pipeline, with objects as the stages write them."""

    def __init__(self, s3, name, pair):
        self._s3 = s3
        self.name = name
        self._pair = pair

    def put(self, key, content):
        written = self._s3.put_object(Bucket=self.name, Key=key, Body=content)
        return f"s3://{self.name}/{key}", written["ETag"].strip('"')

    def hour(self):
        return dt.datetime.now(dt.UTC).strftime(_HOUR)

    def processed(self, *rows, name="1.csv"):
        content = b"".join(encode_row(row) for row in rows)
        return self.put(f"processed/things/Things/{self.hour()}/{name}", content)

    def backup(self, *changes):
        return self.put(f"backup/things/{self.hour()}/1.gz", gzip.compress(b"".join(map(encode_change, changes))))[0]

    def failed(self, change):
        record = FailedRecord(
            attempts_made=1,
            arrival_timestamp=1,
            error_code="Lambda.ProcessingFailedStatus",
            error_message="no",
            attempt_ending_timestamp=1,
            raw_data=encode_change(change),
        )
        return self.put(f"failed/things/processing-failed/{self.hour()}/1.json", encode_failed(record))[0]


def diff(pair, *arguments):
    ran = pair.run("diff-item", "--json", *arguments)
    return ran.returncode, json.loads(ran.stdout)


def the_change(version=2, **parts):
    return a_change(item={**_ITEM, **parts}, key=("id", "no"), sequence_number=version, stream_epoch_ms=10)


def the_row(pair, version=2, name="second"):
    return an_upsert(pair.pipeline, 10 * 10**40 + version, "a", "1", name)


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("key", [[_KEY], ['{"id": {"S": "a"}, "no": {"N": "1"}}'], ["--key", "id=a", "--key", "no=1"]])
def test_sides_that_agree_are_status_0_however_the_key_is_written(pair, key):
    pair.carry(_ITEM)

    status, output = diff(pair, *key)

    assert (status, output["verdict"], output["key"]) == (0, "equal", {"id": "a", "no": "1"})
    assert output["columns"] == [
        {"name": "id", "expected": "a", "actual": "a", "equal": True},
        {"name": "no", "expected": "1", "actual": "1", "equal": True},
        {"name": "name", "expected": "first", "actual": "first", "equal": True},
    ]


@pytest.mark.usefixtures("bucket")
def test_neither_item_nor_row_is_equal_and_says_so(pair):
    status, output = diff(pair, _KEY)

    assert (status, output["verdict"], output["item_exists"], output["row_exists"]) == (0, "equal", False, False)


@pytest.mark.usefixtures("bucket")
def test_a_column_that_was_changed_by_hand_is_shown_with_both_values(pair):
    pair.carry(_ITEM)
    pair.target.query(f"UPDATE {pair.target.name()} SET name = 'x'")

    ran = pair.run("diff-item", _KEY)

    assert ran.returncode == 1
    assert "name" in ran.stdout
    assert "first" in ran.stdout
    assert "verify --repair" in ran.stdout.splitlines()[-1]


def test_an_object_that_was_not_loaded_yet_is_in_flight_and_named(pair, bucket):
    pair.carry(_ITEM)
    pair.put({**_ITEM, "name": "second"})
    url, _ = bucket.processed(the_row(pair, 2 * 10**20))
    pair.target.query(f"UPDATE {pair.target.name()} SET _version = 1")

    status, output = diff(pair, _KEY)

    assert (status, output["verdict"], url in output["explanation"]) == (1, "in_flight", True)


def test_a_change_that_only_the_backup_has_is_in_flight(pair, bucket):
    pair.put({**_ITEM, "name": "second"})
    url = bucket.backup(the_change(name="second"), the_change(id="b"))

    status, output = diff(pair, _KEY)

    assert (status, output["verdict"], url in output["explanation"]) == (1, "in_flight", True)
    assert [(trace["place"], trace["change"]) for trace in output["history"]] == [("backup", "INSERT")]


def test_a_failed_record_is_named_with_its_reason(pair, bucket):
    pair.put({**_ITEM, "name": "second"})
    url = bucket.failed(the_change(name="second"))

    status, output = diff(pair, _KEY)

    assert (status, output["verdict"]) == (1, "failed_record")
    assert output["explanation"] == f"failed record in {url} (Lambda.ProcessingFailedStatus): run `redrive`"


@pytest.mark.usefixtures("bucket")
def test_an_item_that_can_never_load_is_rejected_with_its_reason_and_shown(pair):
    pair.put({**_ITEM, "name": "n" * 500})

    status, output = diff(pair, _KEY)

    assert (status, output["verdict"], output["item"]["name"]) == (1, "rejected", {"S": "n" * 500})
    assert output["explanation"].startswith("rejected: misfit at /name: column name varchar(400): longer than 400")


@pytest.mark.usefixtures("bucket")
def test_a_row_that_the_database_refused_is_rejected_with_its_line(pair):
    pair.target.query(f"ALTER TABLE {pair.target.name()} ADD CONSTRAINT c CHECK (name <> 'second')")
    pair.put({**_ITEM, "name": "second"})
    pair.target.load(the_row(pair), the_row(pair)._replace(fields=("b", "1", "fine")), key="processed/things/1.csv")

    status, output = diff(pair, _KEY)

    assert (status, output["verdict"]) == (1, "rejected")
    assert "in s3://bucket/processed/things/1.csv line 1. Mend the table" in output["explanation"]


def test_a_row_that_was_deleted_by_hand_differs_although_its_change_was_loaded(pair, bucket):
    pair.put({**_ITEM, "name": "second"})
    url, etag = bucket.processed(the_row(pair))
    ref = make_object_ref(bucket.name, url.partition(f"{bucket.name}/")[2], version="null", etag=etag)
    pair.target.query(
        f"INSERT INTO `{pair.target.database.name}`._ddb2aurora_loads "
        "(object_id, bucket, object_key, object_version, pipeline, target_table, loaded_at) "
        "VALUES (%s, %s, %s, %s, 'things', 'Things', UTC_TIMESTAMP(6))",
        ref.object_id,
        ref.bucket,
        ref.key,
        ref.shown_version,
    )

    status, output = diff(pair, _KEY)

    assert (status, output["verdict"]) == (1, "differs")
    assert output["explanation"].startswith(f"differs, although its newest change was loaded ({url})")


@pytest.mark.usefixtures("bucket")
def test_a_tombstone_is_shown(pair):
    pair.target.load(a_delete(pair.pipeline, 7, "a", "1"))

    status, output = diff(pair, _KEY)

    assert (status, output["tombstone"]) == (0, {"version": "7", "soft_version": None})


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "name the item: its key as JSON"),
        (['{"id": "a"}'], "not the key of this table"),
        (["not json"], "the key is not JSON"),
        (["--key", "id"], "--key takes attribute=value"),
        (["--key", "id=a", "--key", "no=1", "--key", "id=b"], "the attribute id is given twice"),
        ([_KEY, "--key", "id=b"], "the attribute id is given twice"),
        (["--key", "id=a", "--key", "no=one"], "the attribute no is of type N"),
        ([json.dumps({"id": "i" * 41, "no": 1})], "the key fits no row"),
    ],
)
def test_a_key_that_is_none_is_status_2_and_says_how_to_write_it(pair, arguments, error):
    ran = pair.run("diff-item", *arguments)

    assert ran.returncode == 2
    assert error in ran.stderr


def test_an_event_log_is_refused_with_status_2(make_pair):
    ran = make_pair(a_pair_of_keys(mode="append")).run("diff-item", "--no-history", _KEY)

    assert (ran.returncode, "writes an event log" in ran.stderr) == (2, True)


def test_it_waits_until_the_sides_are_equal(pair):
    process = pair.start("diff-item", "--no-history", "--wait", "60s", "--json", _KEY)
    pair.put(_ITEM)
    pair.target.load(the_row(pair, name="first"))

    output, _ = process.communicate(timeout=60)

    assert (process.returncode, json.loads(output)["verdict"]) == (0, "equal")


def test_it_answers_as_a_function_too(pair, monkeypatch):
    pair.carry(_ITEM)
    for name, value in pair.environment.items():
        monkeypatch.setenv(name, value)

    answer = run_command({"command": "diff-item", "options": {"key": ["id=a", "no=1"], "history": False}})

    assert (answer["exit_code"], answer["output"]["verdict"]) == (0, "equal")


def test_as_a_function_it_logs_and_raises_which_columns_differ_and_no_value(pair, monkeypatch, caplog):
    pair.put({"id": "secret-id", "no": 1, "name": "secret-value"})
    for name, value in pair.environment.items():
        monkeypatch.setenv(name, value)

    with caplog.at_level("INFO"), pytest.raises(CommandFailedError) as caught:
        run_command({"command": "diff-item", "options": {"key": ["id=secret-id", "no=1"], "history": False}})

    told = json.loads(str(caught.value).partition("status 1: ")[2])
    assert (told["verdict"], told["item_exists"], told["row_exists"]) == ("differs", True, False)
    assert {tuple(column) for column in told["columns"]} == {("name", "equal")}
    assert "secret" not in str(caught.value) + "".join(str(record.__dict__) for record in caplog.records)


def test_a_binary_key_is_given_as_base64(make_pair):
    columns = (a_column("id", "varbinary(20)"), a_column("name", "varchar(40)"))
    pair = make_pair(a_pipeline(*columns))
    pair.put({"id": b"\x00\xff", "name": "x"})
    pair.target.load(an_upsert(pair.pipeline, 1, "00ff", "x"))

    ran = pair.run("diff-item", "--no-history", "--json", "--key", f"id={base64.b64encode(bytes([0, 255])).decode()}")

    assert (ran.returncode, json.loads(ran.stdout)["verdict"]) == (0, "equal")
