"""What cannot load is kept and announced; what comes twice changes nothing; everything adds up."""

import gzip
import json
import uuid
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
from outside import Page, Stack, eventually

TEN = "2026-01-05T10:00:00Z"
FAILED = "failed/web_analytics/processing-failed/"


@pytest.fixture
def notices(stack: Stack) -> Iterator[str]:
    """A queue that hears of every object under failed/, from now on."""
    [topic] = [found["TopicArn"] for found in stack.sns.list_topics()["Topics"]]
    queue = stack.sqs.create_queue(QueueName=f"notices-{uuid.uuid4().hex}")["QueueUrl"]
    arn = stack.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    subscription = stack.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    yield queue
    stack.sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    stack.sqs.delete_queue(QueueUrl=queue)


def failed_changes(stack: Stack, page: Page) -> list[tuple[str, dict[str, Any]]]:
    """Return the error code and the change of every failed record of *page*."""
    records = [json.loads(line) for key in stack.keys(FAILED) for line in stack.content(key).splitlines()]
    changes = [(record["errorCode"], json.loads(b64decode(record["rawData"]))) for record in records]
    return [(code, change) for code, change in changes if change["keys"]["page_id"]["S"] == page.page_id]


def announced_objects(stack: Stack, queue: str) -> list[str]:
    """Return the names of the objects that the notices waiting in *queue* tell of, and leave them there."""
    messages = stack.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
    notices = [json.loads(json.loads(message["Body"])["Message"]) for message in messages.get("Messages", [])]
    return [record["s3"]["object"]["key"] for notice in notices for record in notice.get("Records", [])]


def test_a_broken_item_goes_to_failed_with_the_original_change_and_its_neighbours_load(page: Page, stack: Stack):
    page.put("1", hits=1)
    page.put("2", payload='{"Hits": 2')
    page.put("3", hits=3)

    eventually(page.rows, [("1", 1), ("3", 3)])
    eventually(lambda: len(failed_changes(stack, page)), 1)
    [(code, change)] = failed_changes(stack, page)
    assert code == "Lambda.ProcessingFailedStatus"
    assert change["event"] == "INSERT"
    assert change["image"] == {
        "page_id": {"S": page.page_id},
        "activity_dt": {"S": "2"},
        "payload": {"S": '{"Hits": 2'},
    }


def test_a_broken_item_is_announced_on_the_topic_of_failures(page: Page, stack: Stack, notices: str):
    before = set(stack.keys(FAILED))

    page.put(hits="many")

    eventually(lambda: len(set(stack.keys(FAILED)) - before), 1)
    [new] = set(stack.keys(FAILED)) - before
    eventually(lambda: new in announced_objects(stack, notices), expected=True)


def test_a_row_keeps_its_last_good_state_while_its_item_is_broken_and_follows_when_it_is_mended(
    page: Page, stack: Stack
):
    page.put(hits=1)
    eventually(page.rows, [(TEN, 1)])
    page.put(hits="many")
    eventually(lambda: len(failed_changes(stack, page)), 1)
    assert page.rows() == [(TEN, 1)]

    page.put(hits=2)

    eventually(page.rows, [(TEN, 2)])


def test_a_number_of_hits_that_the_column_cannot_hold_is_rejected_not_cut(page: Page, stack: Stack):
    page.put("1", hits=2**31)
    page.put("2", hits=2**31 - 1)

    eventually(page.rows, [("2", 2**31 - 1)])
    eventually(lambda: len(failed_changes(stack, page)), 1)


def test_an_object_announced_twice_is_loaded_once(page: Page, stack: Stack):
    page.put(hits=1)
    eventually(page.rows, [(TEN, 1)])
    key = stack.rows("SELECT object_key FROM _ddb2aurora_loads ORDER BY loaded_at DESC LIMIT 1")[0][0]
    before = ledger_of(stack, key)
    stack.rows("UPDATE WebAnalytics SET hits = -1 WHERE page_id = %s", page.page_id)

    announce_again(stack, key)

    page.put("2", hits=2)
    eventually(page.rows, [("2", 2), (TEN, -1)])
    eventually(lambda: announcements_under_way(stack), 0)
    assert ledger_of(stack, key) == before
    assert page.rows() == [("2", 2), (TEN, -1)]


def test_an_object_that_the_ledger_does_not_know_any_more_changes_no_row_either(page: Page, stack: Stack):
    page.put(hits=1)
    page.put("gone", hits=9)
    page.delete("gone")
    eventually(page.rows, [(TEN, 1)])
    key = stack.rows("SELECT object_key FROM _ddb2aurora_loads ORDER BY loaded_at DESC LIMIT 1")[0][0]
    copy = key.replace(".csv", "-copy.csv")

    stack.s3.copy_object(Bucket=stack.bucket, Key=copy, CopySource={"Bucket": stack.bucket, "Key": key})

    eventually(lambda: [(applied, deleted) for _, applied, _, deleted, _ in ledger_of(stack, copy)], [(0, 0)])
    assert page.rows() == [(TEN, 1)]


def test_the_ledger_adds_up_and_nothing_is_rejected_by_the_database(page: Page, stack: Stack):
    page.put(hits=1)
    eventually(page.rows, [(TEN, 1)])

    sums = stack.rows("SELECT rows_in_file - applied - stale - deleted - rejected FROM _ddb2aurora_loads")
    rejects = stack.rows("SELECT * FROM _ddb2aurora_rejects")

    assert set(sums) == {(0,)}
    assert rejects == []


def test_the_backup_holds_every_change(page: Page, stack: Stack):
    page.put(hits=1)
    page.put(hits="many")
    page.delete()

    eventually(lambda: sorted(set(backed_up(stack, page))), ["INSERT", "MODIFY", "REMOVE"])


def ledger_of(stack: Stack, key: str) -> list[tuple[Any, ...]]:
    columns = "rows_in_file, applied, stale, deleted, rejected"
    return stack.rows(f"SELECT {columns} FROM _ddb2aurora_loads WHERE object_key = %s", key)  # noqa: S608 - our names


def announce_again(stack: Stack, key: str) -> None:
    """Write the object over itself: the same bytes, and another event."""
    stack.s3.copy_object(
        Bucket=stack.bucket, Key=key, CopySource={"Bucket": stack.bucket, "Key": key}, MetadataDirective="REPLACE"
    )


def announcements_under_way(stack: Stack) -> int:
    queue = stack.sqs.get_queue_url(QueueName="web_analytics-new-objects")["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = stack.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(counts[name]) for name in names)


def backed_up(stack: Stack, page: Page) -> list[str]:
    """Return the events of the changes of *page* in the backup."""
    objects = (gzip.decompress(stack.content(key)) for key in stack.keys("backup/web_analytics/"))
    changes = [json.loads(line) for content in objects for line in content.splitlines()]
    return [change["event"] for change in changes if change["keys"]["page_id"]["S"] == page.page_id]
