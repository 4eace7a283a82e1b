import errno
import os
import signal

import pytest
from botocore.exceptions import EndpointConnectionError

from ddb2aurora.errors import HaltError, RetryError
from local_aws.services.errors import LocalServiceError
from local_aws.stack.ending import clear_ending

MEND = "name another folder, or mend this one (TMPDIR moves the temporary ones)"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (HaltError("the file has a mistake"), "demo: the file has a mistake\n"),
        (RetryError("the server is down"), "demo: the server is down\n"),
        (LocalServiceError("no server is installed"), "demo: no server is installed\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/full"),
            f"demo: [Errno 28] No space left on device: '/full'; {MEND}\n",
        ),
        (
            EndpointConnectionError(endpoint_url="here"),
            'demo: the emulator did not take a call: Could not connect to the endpoint URL: "here"; start again\n',
        ),
    ],
)
def test_what_can_go_wrong_is_one_text_and_the_status_1(error, said, capsys):
    with pytest.raises(SystemExit) as ending, clear_ending("demo"):
        raise error

    assert ending.value.code == 1
    assert capsys.readouterr() == ("", said)


def test_a_mistake_of_ours_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), clear_ending("demo"):
        _ = 1 / 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_with_the_status_of_shells_and_a_second_one_leaves_the_clean_up_alone(number, status, capsys):
    cleaned_up = []

    def work() -> None:
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            cleaned_up.append(True)

    with pytest.raises(SystemExit) as ending, clear_ending("demo"):
        work()

    assert ending.value.code == status
    assert cleaned_up == [True]
    assert capsys.readouterr() == ("", "")


def test_the_handlers_of_before_are_back_afterwards():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    with clear_ending("demo"):
        during = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert during != before
