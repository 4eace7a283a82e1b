import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from local_aws.faults import Faults
from local_aws.functions import FunctionError
from local_aws.runtime.process import ProcessFunction

HERE = str(Path(__file__).parent)
MIB = 1024 * 1024


@pytest.fixture
def a_function(tmp_path):
    made = []

    def make(handler="work", **settings):
        defaults = {
            "name": "sample",
            "handler": handler if "." in handler else f"sample_functions.{handler}",
            "environment": {"PYTHONPATH": HERE, "COLOUR": "blue"},
            "log_path": tmp_path / "logs" / "sample.log",
            "timeout_seconds": 20,
        }
        function = ProcessFunction(**{**defaults, **settings})
        made.append(function)
        return function

    yield make
    for function in made:
        function.stop()


def log_of(tmp_path):
    return (tmp_path / "logs" / "sample.log").read_text()


def eventually(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_a_function_sees_exactly_its_environment_and_what_lambda_sets(a_function):
    function = a_function("describe", name="loader", memory_mb=256, region="eu-west-1", account="111122223333")

    answer = function.invoke({}).payload

    environment = answer["environment"]
    environment.pop("PATH")
    environment.pop("LC_CTYPE", None)  # Python sets it itself in some locales.
    assert environment == {
        "PYTHONPATH": HERE,
        "COLOUR": "blue",
        "AWS_LAMBDA_FUNCTION_NAME": "loader",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/loader",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "_HANDLER": "sample_functions.describe",
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
    }


def test_the_context_tells_the_handler_who_it_is_and_how_long_it_has(a_function):
    function = a_function("describe", name="loader", memory_mb=256, region="eu-west-1", account="111122223333")

    invocation = function.invoke({})

    answer = dict(invocation.payload)
    answer.pop("environment")
    remaining_ms = answer.pop("remaining_ms")
    assert 0 < remaining_ms <= 20_000
    assert answer == {
        "function_name": "loader",
        "memory_limit_in_mb": "256",
        "invoked_function_arn": "arn:aws:lambda:eu-west-1:111122223333:function:loader",
        "aws_request_id": invocation.request_id,
        "log_group_name": "/aws/lambda/loader",
    }


def test_results_are_encoded_and_events_decoded_as_lambdas_runtime_does(a_function):
    function = a_function("results")

    answer = function.invoke([1, 1.5, 10**30, "é", None]).payload

    not_a_number = answer.pop("not a number")
    assert not_a_number != not_a_number  # noqa: PLR0124 - only NaN differs from itself
    assert answer == {
        "decimal": 1.1,
        "bytes": "text",
        "tuple": [1, 2],
        "event": ["int", "float", "int", "str", "NoneType"],
    }


def test_a_result_that_json_cannot_hold_is_a_marshalling_error(a_function):
    function = a_function("unmarshallable")

    error = function.invoke({}).error

    assert (error.kind, error.error_type) == ("Unhandled", "Runtime.MarshalError")


def test_an_exception_is_an_unhandled_error_with_its_traceback_in_the_log(a_function, tmp_path):
    function = a_function()

    error = function.invoke({"raise": "no such column"}).error

    assert error == FunctionError("Unhandled", "ValueError", "no such column")
    assert "[ERROR] ValueError: no such column\nTraceback (most recent call last):\n" in log_of(tmp_path)
    assert 'raise ValueError(event["raise"])' in log_of(tmp_path)


def test_what_a_function_prints_and_logs_goes_to_its_log(a_function, tmp_path):
    function = a_function()
    logger = a_function("describe")

    function.invoke({"print": "hello"})
    request_id = logger.invoke({}).request_id

    first, second = log_of(tmp_path).splitlines()
    assert first == "hello"
    assert second.startswith("[WARNING]\t20")
    assert second.endswith(f"Z\t{request_id}\ta log line")


def test_a_process_is_used_again_for_the_next_event(a_function):
    function = a_function()

    pids = {function.invoke({}).payload for _ in range(5)}

    assert len(pids) == 1


def test_a_process_works_on_one_event_at_a_time_and_there_are_no_more_than_the_concurrency(a_function):
    function = a_function(concurrency=2)

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: function.invoke({"sleep": 0.1}).payload, range(6)))

    assert len(set(answers)) == 2


def test_an_event_that_finds_no_free_place_in_its_time_is_throttled(a_function):
    function = a_function(wait_seconds=0.05)
    function.invoke({})
    busy = threading.Thread(target=function.invoke, args=({"sleep": 60},))
    busy.start()
    eventually(lambda: function._busy)

    error = function.invoke({}).error

    function.stop()
    busy.join()
    assert error == FunctionError("Throttled", "TooManyRequestsException", "Rate Exceeded.")


def test_a_function_that_takes_too_long_is_killed_and_the_next_event_gets_a_new_process(a_function):
    function = a_function(timeout_seconds=0.3)
    first = function.invoke({}).payload

    late = function.invoke({"sleep": 30})
    second = function.invoke({}).payload

    text = f"RequestId: {late.request_id} Error: Task timed out after 0.30 seconds"
    assert late.error == FunctionError("TimedOut", "Sandbox.Timedout", text)
    assert second != first
    assert not psutil.pid_exists(first)


def test_a_process_that_ends_under_an_event_is_an_exit_error(a_function):
    function = a_function()

    invocation = function.invoke({"exit": 3})

    text = f"RequestId: {invocation.request_id} Error: Runtime exited with error: exit status 3"
    assert invocation.error == FunctionError("Unhandled", "Runtime.ExitError", text)


def test_a_process_that_died_between_events_is_replaced_unseen(a_function):
    function = a_function()
    first = function.invoke({}).payload
    os.kill(first, signal.SIGKILL)
    eventually(lambda: not function.pids)

    second = function.invoke({})

    assert second.error is None
    assert second.payload != first


@pytest.mark.parametrize(("size", "fits"), [(6 * MIB + 98, True), (6 * MIB + 99, False)])
def test_an_answer_may_have_6_mib_and_100_bytes(a_function, size, fits):
    function = a_function()

    invocation = function.invoke({"bytes": size})

    assert (invocation.error is None) is fits
    if not fits:
        assert invocation.error.error_type == "Function.ResponseSizeTooLarge"


def test_an_event_over_6_mib_is_refused_before_the_function_runs(a_function):
    function = a_function("echo")

    error = function.invoke("x" * (6 * MIB - 1)).error

    assert error.error_type == "RequestTooLargeException"
    assert function.pids == ()


def test_a_large_event_and_its_answer_travel_whole(a_function):
    function = a_function("echo")
    event = {"text": "é" + "x" * (5 * MIB)}

    assert function.invoke(event).payload == event


def test_letters_outside_ascii_are_escaped_in_an_answer_and_so_count_six_bytes(a_function):
    function = a_function("echo")

    error = function.invoke({"text": "é" * (2 * MIB)}).error

    assert error.error_type == "Function.ResponseSizeTooLarge"


@pytest.mark.parametrize(
    ("handler", "error_type"),
    [
        ("no_such_module.handler", "Runtime.ImportModuleError"),
        ("sample_functions.no_such_handler", "Runtime.HandlerNotFound"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_reported_by_every_event(a_function, handler, error_type):
    function = a_function(handler)

    errors = [function.invoke({}).error for _ in range(2)]

    assert [error.error_type for error in errors] == [error_type] * 2


@pytest.mark.parametrize(
    ("fault", "works"), [("function.crash_before", 0), ("function.crash_during", 0), ("function.lose_answer", 1)]
)
def test_a_crash_fault_kills_the_process_at_its_moment(a_function, tmp_path, fault, works):
    marks = tmp_path / "marks"
    function = a_function(faults=Faults(rates={fault: 1.0}))

    # The fault draws its moment from how long an event usually takes: 50 ms before the first.
    invocation = function.invoke({"sleep": 0.2, "mark": str(marks)})

    text = f"RequestId: {invocation.request_id} Error: Runtime exited with error: signal: killed"
    assert invocation.error == FunctionError("Unhandled", "Runtime.ExitError", text)
    assert function.pids == ()
    assert (len(marks.read_text().splitlines()) if marks.exists() else 0) == works


def test_a_deployment_lets_a_running_event_end_as_it_began_and_later_events_see_what_is_new(a_function, tmp_path):
    function = a_function("describe", concurrency=2)
    busy = a_function("work", concurrency=2)
    mark = tmp_path / "mark"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(busy.invoke, {"mark": str(mark), "sleep": 0.5})
        eventually(mark.exists)
        before = function.invoke({}).payload["environment"]["COLOUR"]

        busy.deploy(COLOUR="red")
        function.deploy(COLOUR="red")
        after = function.invoke({}).payload["environment"]["COLOUR"]
        ended = running.result().payload

    assert (before, after) == ("blue", "red")
    assert ended not in (busy.invoke({}).payload, *busy.pids)


def test_stop_ends_idle_and_busy_processes_and_later_events_are_throttled(a_function):
    function = a_function(concurrency=2)
    with ThreadPoolExecutor(2) as threads:
        pids = set(threads.map(lambda _: function.invoke({"sleep": 0.2}).payload, range(2)))
        busy = threads.submit(function.invoke, {"sleep": 60})
        eventually(lambda: function._busy)

        function.stop()

        assert busy.result().error.error_type == "Runtime.ExitError"
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert function.invoke({}).error.kind == "Throttled"


PARENT = """
import sys, threading, time
from pathlib import Path
from local_aws.runtime.process import ProcessFunction
function = ProcessFunction(
    name="sample", handler="sample_functions.work", environment={"PYTHONPATH": sys.argv[1]},
    log_path=Path(sys.argv[2]), timeout_seconds=600, concurrency=2)
print(function.invoke({}).payload, flush=True)
busy = threading.Thread(target=function.invoke, args=({"sleep": 600},), daemon=True)
busy.start()
try:
    time.sleep(600)
except KeyboardInterrupt:
    function.stop()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_its_parent_and_none_prints_a_traceback(tmp_path, how):
    log = tmp_path / "sample.log"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, HERE, str(log)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with parent:
        child = psutil.Process(int(parent.stdout.readline()))

        os.killpg(parent.pid, how)

        parent.wait(timeout=20)
    eventually(lambda: not child.is_running())
    assert log.read_text() == ""
