"""The pipeline as it was deployed: what goes through it, and what its operator does."""

import json

import pytest
from deployed_day import AT, ITEMS, Day
from outside import eventually

# Whoever asks first waits for all that comes before.
pytestmark = pytest.mark.timeout(600)


def test_one_command_deploys_from_nothing(day: Day):
    assert day.first_deployment.returncode == 0


def test_the_same_command_again_changes_nothing_and_an_item_goes_all_the_way(day: Day):
    done = day.second_deployment

    assert done.returncode == 0, done.stderr
    assert "stack ddb2aurora-emulator: nothing to change" in done.stderr


def test_nothing_is_planned_when_nothing_has_changed(day: Day):
    assert (day.plan.returncode, day.plan.stdout) == (
        0,
        "ddb2aurora-emulator-bootstrap: no changes\nddb2aurora-emulator: no changes\n",
    )


def test_the_proof_of_the_demonstration_holds(day: Day):
    proof = day.traffic

    assert proof["problems"] == []
    assert proof["equal_rows"] + proof["rejected_items"] == proof["items"] > ITEMS * 0.9


def test_what_the_loader_gave_up_while_it_was_locked_out_is_replayed(day: Day):
    assert day.outage["places"]["events"]["redriven"] == 1
    eventually(lambda: day.rows("outage"), [(AT, 5)])


def test_what_firehose_gave_up_while_the_transformer_was_throttled_is_replayed(day: Day):
    assert day.throttling["moved"] == 1, day.throttling["answer"]
    eventually(lambda: day.rows("throttled"), [(AT, 6)])


def test_an_object_of_what_failed_is_announced(day: Day):
    assert day.throttling
    messages = day.deployment.sqs.receive_message(QueueUrl=day.announced, MaxNumberOfMessages=10)["Messages"]

    [record] = json.loads(json.loads(messages[0]["Body"])["Message"])["Records"]
    assert record["s3"]["object"]["key"].startswith("failed/web_analytics/")


def test_a_change_that_no_record_of_firehose_holds_is_kept(day: Day):
    assert len(day.oversized) == 1


def test_an_object_that_nobody_loaded_is_found(day: Day):
    assert (day.sweep["missing"], day.sweep["loaded"]) == (1, 1), day.sweep


def test_rows_that_somebody_damaged_are_mended(day: Day):
    assert day.repair["output"]["equal"], day.repair
    assert (day.rows("outage"), day.rows("throttled")) == ([(AT, 5)], [(AT, 6)])


def test_a_heartbeat_lands(day: Day):
    assert day.heartbeat["landed"] is not None


def test_an_operator_is_answered(day: Day):
    status = day.routine["status"]["errorMessage"]

    # What failed on purpose needs attention, which a status of 1 says.
    assert status.startswith("status ended with status 1"), status
    assert [command for command, answer in day.routine.items() if "output" not in answer] == ["status"], day.routine


def test_source_and_target_are_equal_in_the_end(day: Day):
    found = day.routine["verify"]

    assert found["output"]["equal"], found
