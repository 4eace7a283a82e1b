"""The images and the stand-ins together carry changes as the embedded stack does."""

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


def failed_pages(stack: Stack) -> dict[str, list[str]]:
    """Return the pages whose changes failed, by the object that keeps them."""
    records: dict[str, list[dict[str, Any]]] = {
        key: [json.loads(line) for line in stack.content(key).splitlines()] for key in stack.keys(FAILED)
    }
    return {
        key: [json.loads(b64decode(record["rawData"]))["keys"]["page_id"]["S"] for record in found]
        for key, found in records.items()
    }


def announced_objects(stack: Stack, queue: str) -> list[str]:
    messages = stack.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
    notices = [json.loads(json.loads(message["Body"])["Message"]) for message in messages.get("Messages", [])]
    return [record["s3"]["object"]["key"] for notice in notices for record in notice.get("Records", [])]


def test_an_item_is_a_row_and_follows_updates_and_deletes(page: Page):
    page.put("1", hits=1)
    page.put("2", hits=2)
    eventually(page.rows, [("1", 1), ("2", 2)])

    page.put("2", hits=3)
    page.delete("1")

    eventually(page.rows, [("2", 3)])


def test_a_value_arrives_in_the_database_as_it_was_written(page: Page, stack: Stack):
    country = 'Côte d\'Ivoire, "N"\\🦆\n'

    page.put(hits=2147483647, country=country)

    query = "SELECT hits, country_code FROM Demo.WebAnalytics WHERE page_id = %s"
    eventually(lambda: stack.rows(query, page.page_id), [(2147483647, country)])


def test_the_database_reads_the_objects_itself(page: Page, stack: Stack):
    page.put()
    eventually(page.rows, [(TEN, 1)])

    digests = stack.rows(
        "SELECT DIGEST_TEXT FROM performance_schema.events_statements_summary_by_digest"
        " WHERE DIGEST_TEXT LIKE 'LOAD DATA%%'"
    )

    assert digests != []
    assert [text for (text,) in digests if "LOCAL" in text] == []


def test_a_broken_item_goes_to_failed_is_announced_and_its_neighbours_load(page: Page, stack: Stack, notices: str):
    page.put("1", hits=1)
    page.put("2", hits="many")
    page.put("3", hits=3)

    eventually(page.rows, [("1", 1), ("3", 3)])
    eventually(lambda: sum(page.page_id in pages for pages in failed_pages(stack).values()), 1)
    [key] = [key for key, pages in failed_pages(stack).items() if page.page_id in pages]
    eventually(lambda: key in announced_objects(stack, notices), expected=True)
