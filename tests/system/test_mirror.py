"""What happens to an item happens to its row."""

import json
import random

from outside import Page, Stack, eventually

TEN = "2026-01-05T10:00:00Z"
ELEVEN = "2026-01-05T11:00:00Z"


def test_an_item_that_is_put_appears_as_a_row(page: Page):
    page.put(hits=3, country="DE")

    eventually(page.rows, [(TEN, 3)])


def test_a_row_shows_the_declared_columns_and_no_others(page: Page, stack: Stack):
    page.put(hits=3, country="DE")
    eventually(page.rows, [(TEN, 3)])

    with stack.connection.cursor() as cursor:
        cursor.execute("SELECT * FROM Demo.WebAnalytics WHERE page_id = %s", (page.page_id,))
        names, [row] = [column[0] for column in cursor.description], cursor.fetchall()

    shown = dict(zip(names, row, strict=True))
    changed_at_ms = shown.pop("timestarted")
    assert isinstance(changed_at_ms, int)
    assert shown == {
        "page_id": page.page_id,
        "activity_dt": TEN,
        "hits": 3,
        "start_time": "10:00",
        "end_time": "10:05",
        "country_code": "DE",
    }


def test_an_update_changes_the_row(page: Page):
    page.put(hits=1)
    eventually(page.rows, [(TEN, 1)])

    page.put(hits=2)

    eventually(page.rows, [(TEN, 2)])


def test_a_delete_removes_the_row_and_a_new_item_of_the_same_key_stands_again(page: Page):
    page.put(hits=1)
    eventually(page.rows, [(TEN, 1)])
    page.delete()
    eventually(page.rows, [])

    page.put(hits=2)

    eventually(page.rows, [(TEN, 2)])


def test_an_item_put_and_deleted_at_once_leaves_no_row_and_what_follows_is_loaded(page: Page):
    page.put(hits=1)
    page.delete()
    page.put(ELEVEN, hits=2)

    eventually(page.rows, [(ELEVEN, 2)])


def test_a_visit_to_the_same_page_at_another_time_is_a_row_of_its_own(page: Page):
    page.put(TEN, hits=1)
    page.put(ELEVEN, hits=2)

    eventually(page.rows, [(TEN, 1), (ELEVEN, 2)])


def test_keys_that_differ_only_in_case_accent_or_trailing_space_are_rows_of_their_own(page: Page):
    for hits, at in enumerate(("a", "A", "ä", "a "), start=1):
        page.put(at, hits=hits)

    eventually(lambda: sorted(page.rows()), [("A", 2), ("a", 1), ("a ", 4), ("ä", 3)])


def test_a_hundred_mixed_operations_on_ten_keys_end_like_the_items(page: Page, stack: Stack):
    source = random.Random(7)  # noqa: S311 - a repeatable order, not a secret
    for number in range(100):
        at = f"key-{source.randrange(10)}"
        if source.random() < 0.3:
            page.delete(at)
        else:
            page.put(at, hits=number)
    page.put("last", hits=100)

    items = stack.dynamodb.query(
        TableName="web_analytics",
        KeyConditionExpression="page_id = :page",
        ExpressionAttributeValues={":page": {"S": page.page_id}},
        ConsistentRead=True,
    )["Items"]
    eventually(page.rows, [(item["activity_dt"]["S"], json.loads(item["payload"]["S"])["Hits"]) for item in items])
    assert len(items) > 5
