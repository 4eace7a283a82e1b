import io
import json
import logging

import pytest

from ddb2aurora.errors import HaltError, Reason, RejectError
from ddb2aurora.logs import fields, get_logger, hash_key, set_up_logging


@pytest.fixture
def lines():
    """Give what was logged, and leave the logging of the process as it was."""
    root, ours = logging.getLogger(), logging.getLogger("ddb2aurora")
    before = root.level, list(root.handlers), ours.level
    stream = io.StringIO()
    set_up_logging(level="INFO", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    ours.setLevel(before[2])
    root.setLevel(before[0])
    root.handlers[:] = before[1]


def test_a_record_is_one_line_of_json_with_its_fields(lines):
    get_logger("aurora-loader").info("object loaded", extra=fields(bucket="b\n\u2028", rows=100))

    [line] = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "aurora-loader",
        "message": "object loaded",
        "bucket": "b\n\u2028",
        "rows": 100,
    }


def test_a_field_never_takes_the_place_of_what_every_line_has(lines):
    get_logger("s").warning("the message", extra=fields(message="another", level="none", errors=1))

    [line] = lines()
    assert (line["message"], line["level"], line["errors"]) == ("the message", "WARNING", 1)


def test_what_json_cannot_show_is_shown_as_text(lines):
    get_logger("s").info("m", extra=fields(path=frozenset({1}), error=ValueError("secret"), ours=HaltError("known")))

    [line] = lines()
    assert (line["path"], line["error"], line["ours"]) == ("frozenset({1})", "(message withheld)", "known")


def _fail():
    try:
        try:
            int("a secret of the item")
        except ValueError as error:
            raise RejectError(Reason.MISFIT, detail="not a number") from error
    except RejectError:
        raise KeyError("another secret")  # noqa: B904 - the context alone


def test_the_message_of_a_foreign_exception_is_never_logged(lines):
    try:
        _fail()
    except KeyError:
        get_logger("s").exception("failed")

    [line] = lines()
    assert "secret" not in json.dumps(line)
    assert [(error["type"], error["text"]) for error in line["errors"]] == [
        ("KeyError", "(message withheld)"),
        ("RejectError", "misfit: not a number"),
        ("ValueError", "(message withheld)"),
    ]
    assert all("test_logs.py:" in error["frames"][-1] for error in line["errors"])


def test_a_foreign_exception_is_not_logged_as_a_message_either(lines):
    logging.getLogger("driver").error(ValueError("a secret"))
    logging.getLogger("driver").error("lost %s after %s tries", ValueError("a secret"), "3")
    logging.getLogger("driver").error("lost %s", HaltError("one of ours"))
    logging.getLogger("driver").error("lost %(what)s", {"what": "it"})

    assert [line["message"] for line in lines()] == [
        "(message withheld)",
        "lost (message withheld) after 3 tries",
        "lost one of ours",
        "lost it",
    ]


def test_causes_that_lead_in_a_circle_end(lines):
    first, second = HaltError("first"), HaltError("second")
    first.__cause__, second.__cause__ = second, first

    get_logger("s").error("failed", exc_info=first)

    assert [error["text"] for error in lines()[0]["errors"]] == ["first", "second"]


def test_a_record_with_no_exception_at_hand_has_no_errors(lines):
    get_logger("s").error("failed", exc_info=True)

    assert "errors" not in lines()[0]


def test_the_level_is_that_of_our_own_records(lines):
    get_logger("s").debug("too low")
    get_logger("s").info("high enough")

    assert [line["message"] for line in lines()] == ["high enough"]


def test_what_an_sdk_logs_of_its_requests_is_left_out_at_any_level():
    stream = io.StringIO()
    root, ours = logging.getLogger(), logging.getLogger("ddb2aurora")
    before = root.level, list(root.handlers), ours.level
    set_up_logging(level="DEBUG", stream=stream)

    logging.getLogger("botocore.endpoint").debug("Making request with params: %s", {"Item": "a secret"})
    logging.getLogger("botocore.credentials").info("Found credentials")
    logging.getLogger("urllib3").warning("pool is full")
    get_logger("s").debug("ours")

    ours.setLevel(before[2])
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    logged = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["logger"], line["message"]) for line in logged] == [("urllib3", "pool is full"), ("s", "ours")]


def test_each_line_appears_once_beside_the_handler_of_the_lambda_runtime(lines):
    foreign = io.StringIO()
    logging.getLogger().addHandler(logging.StreamHandler(foreign))

    stream = io.StringIO()
    set_up_logging(level="ERROR", stream=stream)
    get_logger("s").error("once")

    assert (len(stream.getvalue().splitlines()), foreign.getvalue(), lines()) == (1, "", [])


def test_logs_go_to_standard_output_by_default(lines, capsys):
    set_up_logging(level="INFO")
    get_logger("s").info("here")

    assert json.loads(capsys.readouterr().out)["message"] == "here"
    assert lines() == []


def test_a_key_is_logged_as_a_hash_only():
    key = ("user@example.com", 5)

    assert (len(hash_key(key)), hash_key(key) == hash_key(("user@example.com", 5))) == (16, True)
    assert hash_key(key) != hash_key(("user@example.com", 6))
