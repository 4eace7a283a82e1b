"""`ddb2aurora sweep` between a bucket, a ledger and a loader behind Lambda's API."""

import json
import signal
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from command_line import start_command
from loader_fixtures import an_upsert

NEXT_HOUR = "2026/01/05/13"


def an_unannounced(world, name="2026/01/05/12/a.csv", *, key="a", version=1):
    return world.put(name, an_upsert(world.target.pipeline, version, key, "new"))


def sweep(world, *arguments):
    ran = world.run("sweep", "--older-than", "1s", "--json", *arguments)
    return ran.returncode, json.loads(ran.stdout)


def old_enough(world):
    """Wait until the bucket's objects are older than the second that a sweep of a test leaves alone."""
    listing = world.aws.client("s3").list_objects_v2(Bucket=world.bucket)
    newest = max(entry["LastModified"] for entry in listing["Contents"])
    while datetime.now(UTC) - newest < timedelta(seconds=1.2):
        time.sleep(0.05)


def test_what_the_ledger_lacks_is_loaded_and_named(operator_world):
    lost = an_unannounced(operator_world)
    old_enough(operator_world)

    status, output = sweep(operator_world)

    assert (status, output) == (
        0,
        {
            "looked_at": 1,
            "young": 0,
            "missing": 1,
            "dry_run": False,
            "complete": True,
            "loaded": 1,
            "loaded_bytes": output["loaded_bytes"],
            "failed": 0,
            "objects": [lost],
            "failures": [],
        },
    )
    assert operator_world.target.rows() == (("a", "new"),)


def test_what_is_loaded_is_left_alone(operator_world):
    an_unannounced(operator_world)
    old_enough(operator_world)
    sweep(operator_world)

    status, output = sweep(operator_world)

    assert (status, output["looked_at"], output["missing"], len(operator_world.events)) == (0, 1, 0, 1)


def test_a_young_object_is_left_to_its_own_event(operator_world):
    an_unannounced(operator_world)

    ran = operator_world.run("sweep")

    assert (ran.returncode, operator_world.events) == (0, [])
    assert ran.stdout == "looked at 1 objects, 1 of them too young to tell; the ledger lacks 0: 0 loaded, 0 failed\n"


def test_a_dry_run_names_what_is_missing_and_loads_nothing(operator_world):
    lost = an_unannounced(operator_world)
    old_enough(operator_world)

    ran = operator_world.run("sweep", "--older-than", "1s", "--dry-run")

    assert (ran.returncode, operator_world.events) == (1, [])
    assert ran.stdout == f"missing  {lost}\nlooked at 1 objects; the ledger lacks 1\n"


def test_an_object_that_cannot_be_loaded_is_status_1_with_the_loader_s_reason_and_the_others_load(operator_world):
    an_unannounced(operator_world, key="good")
    bad = operator_world.put("2026/01/05/12/b.csv", b"no row\n", b"of any kind\n")
    old_enough(operator_world)

    ran = operator_world.run("sweep", "--older-than", "1s")

    lines = ran.stdout.splitlines()
    assert ran.returncode == 1
    assert lines[1] == f"FAILED   {bad}"
    assert lines[2].strip().startswith(f"TooManyRejectsError: {bad}: more than 50.0% of its 2 rows are refused")
    assert lines[3] == "looked at 2 objects; the ledger lacks 2: 1 loaded, 1 failed"
    assert operator_world.target.rows() == (("good", "new"),)


def test_only_objects_of_an_hour_and_later_are_looked_at(operator_world):
    an_unannounced(operator_world, "2026/01/05/12/early.csv", key="early")
    an_unannounced(operator_world, f"{NEXT_HOUR}/late.csv", key="late")
    old_enough(operator_world)

    status, output = sweep(operator_world, "--since", NEXT_HOUR)

    assert (status, output["looked_at"]) == (0, 1)
    assert operator_world.target.rows("id") == (("late",),)


def test_many_objects_are_loaded_several_at_a_time_and_each_once(operator_world):
    for number in range(30):
        an_unannounced(operator_world, f"{NEXT_HOUR}/{number}.csv", key=f"{number:02}")
    old_enough(operator_world)

    status, output = sweep(operator_world, "--concurrency", "8")

    assert (status, output["loaded"]) == (0, 30)
    assert [row[0] for row in operator_world.target.rows("id")] == [f"{number:02}" for number in range(30)]


def test_ctrl_c_begins_no_further_load_and_ends_with_130_and_the_next_sweep_goes_on(operator_world):
    for number in range(20):
        an_unannounced(operator_world, f"{NEXT_HOUR}/{number}.csv", key=f"{number:02}")
    old_enough(operator_world)
    begun, go_on = threading.Event(), threading.Event()
    operator_world.before_load = lambda: (begun.set(), go_on.wait(timeout=30))
    command = ["sweep", "--older-than", "1s", "--concurrency", "2"]

    with start_command(command, operator_world.environment) as sweeping:
        assert begun.wait(timeout=30)
        sweeping.send_signal(signal.SIGINT)
        go_on.set()
        output, errors = sweeping.communicate(timeout=60)
    begun_before = len(operator_world.events)
    status, rest = sweep(operator_world)

    assert (sweeping.returncode, output) == (130, "")
    assert errors == "ddb2aurora: interrupted; what was done stays done, run it again to go on\n"
    assert begun_before < 20
    assert (status, rest["loaded"], len(operator_world.target.rows())) == (0, 20 - begun_before, 20)


def test_a_loader_that_is_not_there_is_status_2_and_named(operator_world):
    an_unannounced(operator_world)
    old_enough(operator_world)

    ran = operator_world.run("sweep", "--older-than", "1s", AURORA_LOADER_FUNCTION="nobody")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert "Invoke on function nobody failed with ResourceNotFoundException" in ran.stderr


def test_a_missing_setting_is_status_2_and_named(operator_world):
    ran = operator_world.run("sweep", without=("BUCKET_NAME", "AURORA_LOADER_FUNCTION"))

    assert (ran.returncode, ran.stdout) == (2, "")
    assert [line.split()[0] for line in ran.stderr.splitlines()[1:]] == ["BUCKET_NAME", "AURORA_LOADER_FUNCTION"]


@pytest.mark.parametrize("since", ["2026/1/5", "2026/1/5/1", "2026/13/05/10", "2026/11/31/10", "2026/11/24/24"])
def test_an_hour_that_is_none_is_status_2(operator_world, since):
    ran = operator_world.run("sweep", "--since", since)

    assert ran.returncode == 2
    assert f"in UTC: 2026/11/24/10, and not '{since}'" in " ".join(ran.stderr.replace("│", "").split())


def test_as_a_lambda_function_it_answers_what_json_prints_and_measures_what_was_missed(operator_world):
    an_unannounced(operator_world)
    old_enough(operator_world)

    ran = operator_world.invoke({"command": "sweep", "options": {"older_than": "1s", "concurrency": 2}})

    answer = json.loads(ran.stderr)
    metrics = [json.loads(line) for line in ran.stdout.splitlines() if "_aws" in line]
    assert (answer["command"], answer["exit_code"], answer["output"]["loaded"]) == ("sweep", 0, 1)
    assert [(line["Stage"], line["Pipeline"], line["ObjectsMissed"]) for line in metrics] == [("operator", "things", 1)]
