"""The fallback of any MySQL loads the same as the statement of Aurora."""

from collections.abc import Iterator

import pytest
from outside import Page, Stack, eventually, running_stack

STRINGS = {
    "marker": "\\N",
    "everything": "a,\"b\"\\\n\r\n\t\0\u2028 👩‍👧 'c' ",
    "empty": "",
    "null": "NULL",
}


@pytest.fixture(scope="module")
def local_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("local-mode"), "--load-mode", "local") as running:
        yield running


@pytest.fixture
def page(local_stack: Stack) -> Page:
    return Page(local_stack, "page")


def test_items_appear_change_and_disappear(page: Page):
    page.put("1", hits=1)
    page.put("2", hits=2)
    eventually(page.rows, [("1", 1), ("2", 2)])

    page.put("1", hits=3)
    page.delete("2")

    eventually(page.rows, [("1", 3)])


def test_strings_and_binary_arrive_exactly_and_a_broken_item_stops_nobody(local_stack: Stack):
    for name, text in STRINGS.items():
        item = {"id": {"S": name}, "strict": {"N": "1"}, "long_text": {"S": text}, "blob": {"B": text.encode() + b"\0"}}
        local_stack.put("many.types-of_items", item)
    local_stack.put("many.types-of_items", {"id": {"S": "broken"}, "strict": {"S": "no number"}})

    expected = sorted((name, text, text.encode() + b"\0") for name, text in STRINGS.items())
    eventually(lambda: local_stack.rows("SELECT id, long_text, `blob` FROM ManyTypes ORDER BY id"), expected)
    eventually(lambda: len(local_stack.keys("failed/many_types/")), 1)
