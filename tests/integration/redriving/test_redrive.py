"""`ddb2aurora redrive` on a whole stack: from each place that keeps failures, never twice, and nothing newer lost."""
# ruff: noqa: S608 - tests name their own tables

import json
import uuid
from typing import Any

from outside import eventually

from ddb2aurora.envelope import Change, decode_change, encode_change
from ddb2aurora.failed import FailedRecord, decode_failed, encode_failed
from local_aws.stack import resources

RECORDS = "failed/things/processing-failed/"
STRICT = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}, "required": ["n"]}
RELAXED = {"type": "object"}
FINE, FAILURES, USAGE = 0, 1, 2


def changes_in(replica, prefix: str = RECORDS) -> list[Change]:
    return [
        decode_change(line)
        for key in replica.keys(prefix)
        for record in decode_failed(replica.read(key))
        for line in record.raw_data.splitlines()
    ]


def a_failed_object(*lines: bytes, code: str = "Lambda.ProcessingFailedStatus") -> bytes:
    record = FailedRecord(
        attempts_made=1,
        arrival_timestamp=1_790_000_000_000,
        error_code=code,
        error_message="",
        attempt_ending_timestamp=1_790_000_000_001,
        raw_data=b"".join(lines),
    )
    return encode_failed(record)


def a_line(name: str, *, body: str = '{"n": 1}', note: str = "", sequence: str = "1") -> bytes:
    """Return a change so early that any that came by the stream is newer."""
    return encode_change(
        Change(
            event="INSERT",
            event_id=name,
            table="things",
            keys={"id": {"S": name}},
            image={"id": {"S": name}, "body": {"S": body}, "note": {"S": note}},
            changed_at_ms=1_790_000_000_000,
            sequence_number=sequence,
            stream_epoch_ms=1_000_000_000_000,
        )
    )


def a_stream_event(*names: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventID": uuid.uuid4().hex,
                "eventName": "INSERT",
                "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/things/stream/2026-01-05T10:00:00.000",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1_790_000_000,
                    "Keys": {"id": {"S": name}},
                    "NewImage": {"id": {"S": name}, "body": {"S": '{"n": 4}'}, "note": {"S": "replayed"}},
                    "SequenceNumber": str(100 + number),
                    "StreamViewType": "NEW_IMAGE",
                },
            }
            for number, name in enumerate(names)
        ]
    }


def test_items_that_broke_the_schema_arrive_once_it_is_relaxed_and_their_object_moves_to_replayed(replica, name):
    replica.put(name, n=12)
    eventually(lambda: [change.keys for change in changes_in(replica)], [{"id": {"S": name}}])
    kept = replica.keys(RECORDS)

    status, told = replica.run(schema=RELAXED)

    assert (status, told["places"]["records"]["redriven"], told["places"]["records"]["failing"]) == (FINE, 1, 0)
    eventually(lambda: replica.rows().get(name), [12, ""])
    assert replica.keys("failed/") == []
    assert replica.keys("replayed/") == ["replayed/" + key for key in kept]


def test_a_second_redrive_finds_nothing_and_a_doubled_one_doubles_nothing(replica, name):
    content = a_failed_object(a_line(name, note="once"))
    for _ in range(2):
        replica.write(RECORDS + "2026/01/05/10/a", content)
        assert replica.run("--from", "records")[0] == FINE
        eventually(lambda: replica.rows().get(name), [1, "once"])

    status, told = replica.run("--from", "records")

    assert (status, told["places"]["records"]["examined"]) == (FINE, 0)
    assert replica.query(f"SELECT COUNT(*) FROM redrive.Things WHERE id = '{name}'") == [(1,)]
    # The same rows are the same object, which the ledger knows.
    loads = (
        "SELECT COUNT(*) FROM redrive._ddb2aurora_loads WHERE object_key LIKE '%2026/09/21/%/redrive-%' AND bytes = "
    )
    assert replica.query(loads + str(len(replica.read(replica.keys("processed/things/Things/2026/09/21/")[-1])))) == [
        (1,)
    ]


def test_a_row_that_is_newer_than_what_is_redriven_stays(replica, name):
    replica.put(name, n=7, note="newer")
    eventually(lambda: replica.rows().get(name), [7, "newer"])
    replica.write(RECORDS + "2026/01/05/10/a", a_failed_object(a_line(name, note="older"), a_line(name + "x")))

    status, _ = replica.run("--from", "records")

    eventually(lambda: replica.rows().get(name + "x"), [1, ""])
    assert (status, replica.rows()[name]) == (FINE, [7, "newer"])


def test_what_still_fails_stays_under_its_key_alone_and_the_whole_goes_to_replayed(replica, name):
    good, bad = a_line(name), a_line(name + "x", body="no document")
    replica.write(RECORDS + "2026/01/05/10/a", a_failed_object(good, bad))

    status, told = replica.run("--from", "records")

    assert (status, told["places"]["records"]["reasons"]) == (FAILURES, {"document_not_json": 1})
    assert [record.raw_data for record in decode_failed(replica.read(RECORDS + "2026/01/05/10/a"))] == [bad]
    assert replica.read(f"replayed/{RECORDS}2026/01/05/10/a") == a_failed_object(good, bad)
    eventually(lambda: replica.rows().get(name), [1, ""])


def test_a_change_too_large_for_firehose_is_loaded_from_where_the_stream_processor_kept_it(replica, name):
    note = "x" * 1_100_000
    replica.write("failed/things/oversized/2026/01/05/10/a.json", a_failed_object(a_line(name, note=note[:16_000])))

    status, _ = replica.run("--from", "records")

    assert status == FINE
    eventually(lambda: replica.rows().get(name), [1, note[:16_000]])


def test_explain_changes_nothing_and_says_why_each_fails_without_its_value(replica, name):
    content = a_failed_object(a_line(name), a_line(name, body='{"n": 77}'), b"garbage\n")
    replica.write(RECORDS + "2026/01/05/10/a", content)

    ran = replica.run_raw("--from", "records", "--explain")

    assert ran.returncode == FAILURES
    assert "records: 1 fail: schema_violation" in ran.stdout
    assert "records: 1 fail: undecodable" in ran.stdout
    assert f"s3://{resources.BUCKET}/{RECORDS}2026/01/05/10/a" in ran.stdout
    assert "77" not in ran.stdout.replace(RECORDS, "")
    assert name not in ran.stdout
    assert replica.read(RECORDS + "2026/01/05/10/a") == content
    assert (replica.keys("replayed/"), replica.rows().get(name)) == ([], None)


def test_a_dry_run_counts_what_would_be_redriven(replica, name):
    replica.write(RECORDS + "2026/01/05/10/a", a_failed_object(a_line(name)))

    status, told = replica.run("--from", "records", "--dry-run")

    assert (status, told["dry_run"], told["places"]["records"]["redriven"]) == (FINE, True, 1)
    assert replica.keys("failed/") == [RECORDS + "2026/01/05/10/a"]


def test_the_circuit_opens_when_too_much_fails_again_and_leaves_the_rest_alone(replica, name):
    replica.write(RECORDS + "2026/01/05/10/a", a_failed_object(*[b"garbage\n" + a_line(name)] * 30))
    replica.write(RECORDS + "2026/01/05/11/b", a_failed_object(a_line(name)))

    status, told = replica.run("--from", "records", "--most-failing", "0.4")

    assert (status, told["stopped"], told["places"]["records"]["redriven"]) == (FAILURES, True, 0)
    assert told["places"]["records"]["left"] == 30
    assert (len(replica.keys("failed/")), replica.keys("replayed/"), replica.rows().get(name)) == (2, [], None)


def test_an_object_that_is_no_failed_record_is_named_and_left(replica):
    replica.write(RECORDS + "2026/01/05/10/a", b"not json\n")

    status, told = replica.run("--from", "records")

    assert (status, told["places"]["records"]["reasons"]) == (FAILURES, {"not_a_failed_record": 1})
    assert replica.read(RECORDS + "2026/01/05/10/a") == b"not json\n"


def test_a_batch_that_lambda_gave_up_is_given_to_the_stream_processor_again(replica, name):
    body = {"requestContext": {"condition": "RetryAttemptsExhausted"}, "payload": json.dumps(a_stream_event(name))}
    replica.write("aws/lambda/mapping/shard/2026/01/05/a", json.dumps(body).encode())

    status, told = replica.run("--from", "batches")

    assert (status, told["places"]["batches"]["redriven"]) == (FINE, 1)
    eventually(lambda: replica.rows().get(name), [4, "replayed"])
    assert replica.keys("aws/") == []
    assert replica.keys("replayed/") == ["replayed/aws/lambda/mapping/shard/2026/01/05/a"]


def test_a_batch_of_another_table_is_not_touched(replica, name):
    event = json.dumps(a_stream_event(name)).replace("table/things", "table/others")
    replica.write("aws/lambda/mapping/shard/2026/01/05/a", json.dumps({"payload": event}).encode())

    status, told = replica.run("--from", "batches")

    assert (status, told["places"]["batches"]["kept_in"]) == (FINE, 0)
    assert replica.keys("aws/") == ["aws/lambda/mapping/shard/2026/01/05/a"]


def test_a_malformed_record_that_can_be_read_now_arrives(replica, name):
    [record] = a_stream_event(name)["Records"]
    replica.write("failed/things/malformed/2026/01/05/10/a.json", a_failed_object(json.dumps(record).encode()))

    status, _ = replica.run("--from", "malformed")

    assert status == FINE
    eventually(lambda: replica.rows().get(name), [4, "replayed"])
    assert replica.keys("failed/") == []


def test_a_record_that_is_still_malformed_is_kept_once_and_counted_as_failing(replica):
    replica.stack.running["things"].stream_processor.invoke({"Records": [{"what": "is this"}]})
    [kept] = replica.keys("failed/things/malformed/")

    status, told = replica.run("--from", "malformed")

    assert (status, told["places"]["malformed"]["reasons"]) == (FAILURES, {"malformed": 1})
    [still] = replica.keys("failed/things/malformed/")
    assert still.rpartition("/")[2] == kept.rpartition("/")[2]


def test_an_event_that_the_loader_failed_for_good_is_loaded_and_leaves_the_queue(replica, name):
    queue = replica.stack.environment["LOADER_FAILURES_QUEUE_URL"]
    replica.put(name, note="came")
    eventually(lambda: replica.rows().get(name), [1, "came"])
    replica.query(f"DELETE FROM redrive.Things WHERE id = '{name}'")
    [(key, etag)] = replica.query(
        "SELECT object_key, object_version FROM redrive._ddb2aurora_loads ORDER BY loaded_at DESC LIMIT 1"
    )
    replica.query(f"DELETE FROM redrive._ddb2aurora_loads WHERE object_key = '{key}'")
    entity = {"bucket": {"name": resources.BUCKET}, "object": {"key": key.replace("=", "%3D"), "eTag": etag}}
    event = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": entity}]}
    message = {"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": event}
    replica.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(message))

    dry = replica.run("--from", "events", "--dry-run")
    status, told = replica.run("--from", "events")

    assert (dry[0], dry[1]["places"]["events"]["redriven"]) == (FINE, 1)
    assert (status, told["places"]["events"]["redriven"], replica.rows()[name]) == (FINE, 1, [1, "came"])
    assert "Messages" not in replica.sqs.receive_message(QueueUrl=queue)


def test_an_event_that_fails_again_comes_back_to_the_queue_with_the_loaders_reason_told(replica):
    queue = replica.stack.environment["LOADER_FAILURES_QUEUE_URL"]
    entity = {"bucket": {"name": resources.BUCKET}, "object": {"key": "processed/things/gone.csv", "eTag": "0" * 32}}
    event = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": entity}]}
    replica.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"requestPayload": event}))

    status, told = replica.run("--from", "events")

    [back] = replica.sqs.receive_message(QueueUrl=queue)["Messages"]
    replica.sqs.delete_message(QueueUrl=queue, ReceiptHandle=back["ReceiptHandle"])
    assert (status, told["places"]["events"]["failing"]) == (FAILURES, 1)
    assert "processed/things/gone.csv" in told["places"]["events"]["samples"][0]["why"]


def test_rows_that_the_database_refused_are_loaded_once_the_table_is_mended(replica, name):
    replica.query("ALTER TABLE redrive.Things ADD CONSTRAINT few CHECK (note <> 'refused')")
    names = [f"{name}-{number}" for number in range(4)]
    for each in names:
        replica.put(each, note="refused")
    replica.put(name)
    rejects = "SELECT COUNT(*) FROM redrive._ddb2aurora_rejects"
    eventually(lambda: replica.query(rejects), [(4,)])

    refused = replica.run("--from", "rejects")
    replica.query("ALTER TABLE redrive.Things DROP CONSTRAINT few")
    status, told = replica.run("--from", "rejects")

    # While it is refused, one row of a reason is tried, and the others are left.
    assert (refused[0], refused[1]["places"]["rejects"]["failing"]) == (FAILURES, 1)
    assert refused[1]["places"]["rejects"]["left"] == 3
    assert (status, told["places"]["rejects"]["redriven"], replica.query(rejects)) == (FINE, 4, [(0,)])
    assert {each: replica.rows()[each] for each in names} == {each: [1, "refused"] for each in names}


def test_a_row_that_was_refused_once_more_is_loaded_by_the_next_try_also_where_a_bucket_keeps_no_versions(
    replica, name
):
    replica.query("ALTER TABLE redrive.Things ADD CONSTRAINT one CHECK (note <> 'alone')")
    replica.put(name, note="alone")
    replica.put(f"{name}-good")
    eventually(lambda: replica.query("SELECT COUNT(*) FROM redrive._ddb2aurora_rejects"), [(1,)])

    refused = replica.run("--from", "rejects")
    replica.query("ALTER TABLE redrive.Things DROP CONSTRAINT one")
    status, _ = replica.run("--from", "rejects")

    assert (refused[0], status) == (FAILURES, FINE)
    assert replica.rows()[name] == [1, "alone"]


def test_a_missing_setting_is_status_2_and_named(replica):
    ran = replica.run_raw("--from", "records", BUCKET_NAME="")

    assert (ran.returncode, ran.stdout) == (USAGE, "")
    assert "BUCKET_NAME is missing" in ran.stderr


def test_a_place_that_is_none_is_status_2(replica):
    assert replica.run_raw("--from", "nowhere").returncode == USAGE
