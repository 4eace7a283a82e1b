"""The proof holds when source and target agree, and names what is wrong when they do not."""

import json
from base64 import b64decode, b64encode
from typing import Any

from local_aws.stack import resources


def first_key(connection: Any) -> str:
    """Return the key of the first row, as problems name it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT page_id, activity_dt FROM WebAnalytics ORDER BY page_id, activity_dt LIMIT 1")
        page_id, activity_dt = cursor.fetchone()
    return json.dumps({"activity_dt": {"S": activity_dt}, "page_id": {"S": page_id}})


def damage(connection: Any, statement: str) -> None:
    """Run *statement*, which changes one row."""
    with connection.cursor() as cursor:
        assert cursor.execute(statement) == 1


def test_a_run_without_damage_is_proved(carried, connection):
    proof = carried.prove(connection)

    assert proof.problems == []
    assert (proof.items, proof.equal_rows, proof.rejected_items) == (36, 28, 8)
    assert (proof.failed_records, proof.failed_but_fit, proof.rejected_with_row) == (8, 0, 0)
    assert carried.outcome.counts.accounted
    assert carried.outcome.counts.nothing_lost


def test_a_missing_row_is_found(carried, connection):
    key = first_key(connection)
    damage(connection, "DELETE FROM WebAnalytics ORDER BY page_id, activity_dt LIMIT 1")

    assert carried.prove(connection).problems == [f"an item without a row: {key}"]


def test_an_extra_row_is_found(carried, connection):
    damage(connection, "INSERT INTO WebAnalytics (page_id, activity_dt) VALUES ('nobody', 'never')")

    assert carried.prove(connection).problems == ['a row without an item: ["nobody", "never"]']


def test_a_changed_value_is_found_with_its_column(carried, connection):
    key = first_key(connection)
    damage(
        connection, "UPDATE WebAnalytics SET hits = hits + 1, country_code = NULL ORDER BY page_id, activity_dt LIMIT 1"
    )

    assert carried.prove(connection).problems == [f"different in hits, country_code: {key}"]


def test_a_value_that_lost_a_trailing_blank_is_found(carried, connection):
    key = first_key(connection)
    damage(
        connection, "UPDATE WebAnalytics SET start_time = CONCAT(start_time, ' ') ORDER BY page_id, activity_dt LIMIT 1"
    )

    assert carried.prove(connection).problems == [f"different in start_time: {key}"]


def test_a_broken_item_that_is_not_under_failed_is_found(carried, connection):
    s3 = carried.stack.clients.s3
    listed = s3.list_objects_v2(Bucket=resources.BUCKET, Prefix="failed/web_analytics/")["Contents"]
    key = listed[0]["Key"]
    content = s3.get_object(Bucket=resources.BUCKET, Key=key)["Body"].read()
    lines = content.splitlines(keepends=True)

    s3.put_object(Bucket=resources.BUCKET, Key=key, Body=b"".join(lines[1:]))
    proof = carried.prove(connection)
    s3.put_object(Bucket=resources.BUCKET, Key=key, Body=content)

    [problem] = proof.problems
    assert problem.startswith("rejected for ")
    assert ", but not under failed/: " in problem
    assert proof.failed_records == 7


def test_a_change_under_failed_that_the_pipeline_takes_is_counted(carried, connection):
    s3 = carried.stack.clients.s3
    key = s3.list_objects_v2(Bucket=resources.BUCKET, Prefix="failed/web_analytics/")["Contents"][0]["Key"]
    content = s3.get_object(Bucket=resources.BUCKET, Key=key)["Body"].read()
    record = json.loads(content.splitlines()[0])
    change = json.loads(b64decode(record["rawData"])) | {"event": "REMOVE", "image": None}
    record["rawData"] = b64encode(json.dumps(change).encode()).decode()

    s3.put_object(Bucket=resources.BUCKET, Key="failed/web_analytics/more.json", Body=json.dumps(record).encode())
    proof = carried.prove(connection)
    s3.delete_object(Bucket=resources.BUCKET, Key="failed/web_analytics/more.json")

    assert (proof.failed_records, proof.failed_but_fit) == (9, 1)
    assert proof.reasons["Lambda.ProcessingFailedStatus"] == 1
