"""The smoke test: one item there and back."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from builders import a_change
from rich.console import Console

from ddb2aurora.codec import decode_item
from ddb2aurora.mapping import Mapper
from ddb2aurora.pipeline_file import read_pipeline_file
from deploy_aws.errors import DeploymentFailedError, DeploymentSettingsError
from deploy_aws.functions import OperatorFailedError, run_operator
from deploy_aws.screen import Screen
from deploy_aws.smoke import SMOKE_FOLDER, Smoke, SmokeError, SmokeTarget, read_smoke_item
from deploy_aws.waiting import Waiter

PIPELINES = Path(__file__).parents[3] / "pipelines"
ITEM = {"id": {"S": "smoke-7"}, "at": {"N": "7"}, "n": {"N": "1"}}
TARGET = SmokeTarget(table="orders", key=("id", "at"), function="shop-operator")


class FakeSite:
    """A table, and an operator that finds both sides equal after *lag* questions, never if the pipeline *loses* it."""

    def __init__(self, *, lag=0, loses=False, breaks=False):
        self.item, self.row = None, None
        self.calls, self.clock = [], 0.0
        self.loses = loses
        self._lag, self._asked, self._breaks = lag, 0, breaks
        clients = SimpleNamespace(dynamodb=self, functions=self)
        waiter = Waiter(clock=lambda: self.clock, sleep=self.sleep)
        self.smoke = Smoke(clients, screen=Screen(Console(file=io.StringIO())), waiter=waiter, seconds=60)

    def sleep(self, seconds):
        self.clock += seconds

    def put_item(self, **arguments):
        self.calls.append(("put_item", arguments))
        self.item, self._asked = arguments["Item"], 0

    def delete_item(self, **arguments):
        self.calls.append(("delete_item", arguments))
        self.item, self._asked = None, 0

    def invoke(self, *, FunctionName, Payload, LogType):  # noqa: N803 - the SDK's
        assert LogType == "Tail"
        event = json.loads(Payload)
        self.calls.append((FunctionName, event))
        if self._breaks:
            return failed("no way to the database")
        self._asked += 1
        if self._asked > self._lag and not self.loses:
            self.row = self.item
        output = {"verdict": "equal", "explanation": "", "item_exists": self.item is not None}
        if self.item == self.row:
            return {"Payload": io.BytesIO(json.dumps({"exit_code": 0, "output": output}).encode())}
        found = json.dumps({**output, "verdict": "in_flight", "explanation": "on its way"})
        return failed(f"diff-item ended with status 1: {found}")


def failed(text):
    return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps({"errorMessage": text}).encode())}


def test_the_item_is_put_its_row_awaited_and_its_delete_too():
    site = FakeSite()

    site.smoke.put_and_delete(TARGET, ITEM)

    key = {"id": {"S": "smoke-7"}, "at": {"N": "7"}}
    question = {"command": "diff-item", "options": {"key": ["id=smoke-7", "at=7"], "history": False, "wait": "60s"}}
    assert site.calls == [
        ("put_item", {"TableName": "orders", "Item": ITEM}),
        ("shop-operator", question),
        ("delete_item", {"TableName": "orders", "Key": key}),
        ("shop-operator", question),
    ]


def test_a_row_that_takes_its_time_is_waited_for():
    site = FakeSite(lag=3)

    site.smoke.put_and_delete(TARGET, ITEM)

    assert (site.item, site.row) == (None, None)


def test_a_row_that_does_not_come_is_explained_and_the_item_is_deleted_all_the_same():
    site = FakeSite(loses=True)

    with pytest.raises(SmokeError, match=r"has not come in 1 minutes: in_flight, on its way; docs/runbook.md"):
        site.smoke.put_and_delete(TARGET, ITEM)

    assert site.item is None


def test_a_row_that_does_not_go_is_explained():
    site = FakeSite()
    site.row = ITEM
    site.loses = True

    with pytest.raises(SmokeError, match="has not gone in 1 minutes"):
        site.smoke.put_and_delete(TARGET, ITEM)


def test_an_item_without_its_key_is_refused_before_it_is_put():
    site = FakeSite()

    with pytest.raises(DeploymentSettingsError, match="the smoke item lacks its key: at"):
        site.smoke.put_and_delete(TARGET, {"id": {"S": "x"}, "at": {"BOOL": True}})

    assert site.calls == []


def test_an_operator_that_cannot_answer_is_told_at_once_and_the_item_is_deleted_all_the_same():
    site = FakeSite(breaks=True)

    with pytest.raises(OperatorFailedError, match="no way to the database"):
        site.smoke.put_and_delete(TARGET, ITEM)

    assert [name for name, _ in site.calls] == ["put_item", "shop-operator", "delete_item"]


def test_a_heartbeat_is_waited_for_by_the_operator_itself():
    site = FakeSite()

    site.smoke.heartbeat("shop-operator")

    assert site.calls == [("shop-operator", {"command": "heartbeat", "options": {"wait": 60}})]


def test_every_run_has_an_item_of_its_own(tmp_path):
    (tmp_path / "orders.json").write_text('{"id": {"S": "smoke-{run}"}, "at": {"N": "{run}"}}')

    assert read_smoke_item("orders", run=7, folder=tmp_path) == {"id": {"S": "smoke-7"}, "at": {"N": "7"}}
    assert read_smoke_item("others", run=7, folder=tmp_path) is None


@pytest.mark.parametrize("text", ["{", "[]", '{"id": "x"}', '{"id": {}}'])
def test_a_file_without_an_item_is_refused(tmp_path, text):
    (tmp_path / "orders.json").write_text(text)

    with pytest.raises(DeploymentSettingsError, match=r"orders.json is no item"):
        read_smoke_item("orders", run=7, folder=tmp_path)


@pytest.mark.parametrize("file", sorted(SMOKE_FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_the_item_of_each_pipeline_is_one_that_the_pipeline_takes(file):
    pipeline = read_pipeline_file(PIPELINES / f"{file.stem}.yaml")
    item = read_smoke_item(file.stem, run=1_767_700_000_000)

    change = a_change(item=decode_item(item), key=pipeline.source_key)
    assert Mapper(pipeline).row(change).operation == "U"


def test_an_error_of_the_operator_is_told_with_the_end_of_its_log():
    answer = {
        "FunctionError": "Unhandled",
        "LogResult": "ZW5kIG9mIHRoZSBsb2c=",
        "Payload": io.BytesIO(b'{"errorMessage": "the table differs", "errorType": "CommandFailedError"}'),
    }
    functions = SimpleNamespace(invoke=lambda **_: answer)

    with pytest.raises(OperatorFailedError) as failed:
        run_operator(functions, "shop-migrate", "migrate")

    assert str(failed.value) == "migrate failed in shop-migrate: the table differs\nend of the log"


def test_an_error_that_is_no_json_is_told_as_it_is():
    functions = SimpleNamespace(invoke=lambda **_: {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"timed out")})

    with pytest.raises(OperatorFailedError, match=r"^migrate failed in shop-migrate: timed out$"):
        run_operator(functions, "shop-migrate", "migrate")


def test_an_answer_without_an_output_is_an_error():
    functions = SimpleNamespace(invoke=lambda **_: {"Payload": io.BytesIO(b"null")})

    with pytest.raises(DeploymentFailedError, match="shop-migrate answered migrate with something else than an output"):
        run_operator(functions, "shop-migrate", "migrate")
