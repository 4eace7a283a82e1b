import os
import shlex

import pytest

from local_aws.services.errors import LocalServiceError
from local_aws.stack.folder import StackFolder


@pytest.fixture
def folder(tmp_path) -> StackFolder:
    return StackFolder(tmp_path / "not" / "there")


def test_nobody_runs_a_stack_in_a_folder_that_is_not_there(folder):
    assert folder.pid is None


def test_whoever_holds_a_folder_is_named_until_it_is_released(folder):
    with folder.held():
        during = folder.pid

    assert (during, folder.pid) == (os.getpid(), None)


def test_a_held_folder_cannot_be_held_again_and_stays_held(folder):
    with folder.held():
        folder.write_environment({"A": "1"})
        with pytest.raises(LocalServiceError, match=r"a stack is up in .* already; end it, or name another folder"):
            folder.held().__enter__()

        assert folder.is_up_as(os.getpid())


def test_what_a_killed_stack_left_behind_misleads_nobody(folder, tmp_path):
    place = tmp_path / "not" / "there"
    place.mkdir(parents=True)
    (place / "pid").write_text(str(os.getpid()))
    (place / "env").write_text("A=old\n")
    assert folder.pid is None

    with folder.held():
        assert not folder.environment.exists()
        assert not folder.is_up_as(os.getpid())


def test_a_pid_file_that_is_not_written_yet_names_nobody(folder, tmp_path):
    with folder.held():
        (tmp_path / "not" / "there" / "pid").write_text("")

        assert folder.pid is None


def test_an_environment_is_for_its_user_alone_and_a_shell_reads_it_back_exactly(folder):
    environment = {"PLAIN": "a", "PASSWORD": 'it\'s $HOME "and" `more`\\', "EMPTY": ""}

    with folder.held():
        folder.write_environment(environment)
        mode = folder.environment.stat().st_mode & 0o777
        lines = shlex.split(folder.environment.read_text())

    assert mode == 0o600
    assert dict(line.split("=", 1) for line in lines) == environment


def test_nothing_says_that_a_stack_is_up_after_it_failed(folder, tmp_path):
    def fail() -> None:
        folder.write_environment({"A": "1"})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), folder.held():
        fail()

    assert list((tmp_path / "not" / "there").iterdir()) == []
