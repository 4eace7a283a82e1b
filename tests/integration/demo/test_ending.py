"""However the demonstration ends, it says so by its status and leaves nothing behind."""

import contextlib
import signal
from pathlib import Path

import psutil
import pymysql
import pytest
from demo_process import DemoProcess, demo, eventually

VERDICT = "VERDICT: source and target agree\n"


def has_begun(process: DemoProcess) -> bool:
    return any(process.temporary.iterdir())


def is_at_work(process: DemoProcess) -> bool:
    return process.variables_of("firehose_transformer.handler.handler") is not None


def nothing_is_left(process: DemoProcess, ports: set[int]) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError):
        return not process.leftovers(ports)
    return False


def test_a_run_ends_with_the_verdict_and_the_status_0_and_leaves_nothing(tmp_path: Path):
    with demo(tmp_path, "--items", "50") as process:
        process.wait_for(is_at_work)
        ports = process.listening_ports()

        status, printed = process.wait()

        assert status == 0, printed
        assert VERDICT in printed
        assert max(map(len, printed.splitlines())) <= 80
        assert process.leftovers(ports) == []


@pytest.mark.parametrize(
    ("number", "moment", "status"),
    [
        (signal.SIGINT, has_begun, 130),
        (signal.SIGINT, is_at_work, 130),
        (signal.SIGTERM, is_at_work, 143),
        (signal.SIGKILL, is_at_work, -9),
    ],
    ids=["Ctrl-C at the start", "Ctrl-C in mid-run", "SIGTERM", "SIGKILL"],
)
def test_an_interrupted_run_says_so_by_its_status_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals, moment, status: int
):
    with demo(tmp_path, "--items", "5000") as process:
        process.wait_for(moment)
        ports = process.listening_ports()

        process.send(number)
        ended, printed = process.wait()

        assert ended == status, printed
        assert "Traceback" not in printed
        assert "VERDICT" not in printed
        eventually(lambda: nothing_is_left(process, ports))


def test_a_second_ctrl_c_does_not_cut_the_clean_up_short(tmp_path: Path):
    with demo(tmp_path, "--items", "5000") as process:
        process.wait_for(is_at_work)
        ports = process.listening_ports()

        process.send(signal.SIGINT)
        process.send(signal.SIGINT)
        status, printed = process.wait()

        assert status == 130, printed
        assert "Traceback" not in printed
        assert process.leftovers(ports) == []


def test_two_demonstrations_at_the_same_time_both_work(tmp_path: Path):
    (tmp_path / "other").mkdir()
    with (
        demo(tmp_path, "--items", "30") as one,
        demo(tmp_path / "other", "--items", "30", "--load-mode", "local") as two,
    ):
        endings = [one.wait(), two.wait()]

        assert [(status, VERDICT in printed) for status, printed in endings] == [(0, True), (0, True)], endings


def spoil(process: DemoProcess, statement: str) -> None:
    """Run *statement* in the database of the demonstration, before the first rows reach it."""
    process.wait_for(lambda found: found.variables_of("stream_processor.handler.handler") is not None)
    variables = process.variables_of("stream_processor.handler.handler") or {}
    with (
        contextlib.closing(
            pymysql.connect(
                host=variables["DB_HOST"],
                port=int(variables["DB_PORT"]),
                user=variables["DB_USER"],
                password=variables["DB_PASSWORD"],
                database="Demo",
            )
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_run_whose_values_arrive_wrong_ends_with_the_status_1_and_names_the_rows(tmp_path: Path):
    with demo(tmp_path, "--items", "20", "--buffer-seconds", "3") as process:
        spoil(process, "CREATE TRIGGER wrong BEFORE INSERT ON WebAnalytics FOR EACH ROW SET NEW.hits = -1")

        status, printed = process.wait()

        assert status == 1
        assert "VERDICT: source and target DIFFER\n" in printed
        assert "different in hits: " in printed


def test_a_run_whose_rows_cannot_be_loaded_ends_soon_and_tells_what_the_loader_said(tmp_path: Path):
    with demo(tmp_path, "--items", "20", "--buffer-seconds", "3") as process:
        spoil(process, "ALTER TABLE WebAnalytics DROP COLUMN hits")

        status, printed = process.wait()

        assert status == 1
        assert "demo: an object could not be loaded, however often it was tried\n" in printed
        assert "WebAnalytics.hits: is missing" in printed
