"""The folders of services: made inside of what removes them, so that Ctrl-C leaves none behind, whenever it comes."""

import contextlib
import inspect
import shutil
import signal
import sys
import tempfile
from itertools import count

import pytest
from demo_process import CACHE

from local_aws.services.database import DatabaseServer
from local_aws.services.folders import make_folder, remove_folder, unused_folder
from local_aws.services.ministack import MiniStack
from local_aws.services.process import ChildProcess
from local_aws.stack.ending import clear_ending

INTERRUPTED = 130


class ChildStartsError(Exception):
    """From here on the child's supervisor removes the folder, whatever happens."""


@contextlib.contextmanager
def traced(look):
    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)


def ending_of(service, *, line):
    """
    Enter *service* as a command does, interrupt it at a line of its own code (the first is 1), and return how it ends.

    None is for a start that is not interrupted before the child starts.
    """
    code = inspect.getsourcefile(type(service))
    lines = count(1)

    def look(frame, event, _):
        if frame.f_code is ChildProcess.start.__code__:
            raise ChildStartsError
        if event == "line" and next(lines) == line:
            signal.raise_signal(signal.SIGINT)
        return look if frame.f_code.co_filename == code else None

    try:
        with clear_ending("test"), traced(look):
            service.__enter__()
    except SystemExit as interrupted:
        return interrupted.code
    except ChildStartsError:
        return None
    raise AssertionError("it started without a child")


@pytest.mark.parametrize("make", [MiniStack, lambda: DatabaseServer(cache=CACHE)], ids=["MiniStack", "database"])
def test_a_service_that_is_interrupted_at_any_line_of_its_start_leaves_no_folder(make, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    endings, left = [], []
    for line in count(1):
        endings.append(ending_of(make(), line=line))
        left += [(line, path) for path in tmp_path.iterdir()]
        if endings[-1] is None:
            break

    assert endings == [*[INTERRUPTED] * (line - 1), None]
    assert line > 10
    assert left == []


def test_a_removal_that_is_interrupted_comes_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = unused_folder("some-")
    make_folder(folder)
    (folder / "file").touch()
    interrupted = []

    def look(frame, _event, _):
        if frame.f_code.co_filename == shutil.__file__ and not interrupted:
            interrupted.append(frame.f_code.co_name)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(SystemExit), clear_ending("test"), traced(look):
        remove_folder(folder)

    assert (len(interrupted), list(tmp_path.iterdir())) == (1, [])
