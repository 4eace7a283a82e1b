"""The private database server: what it grants, what it refuses, and how it ends."""

import contextlib
import shutil

import psutil
import pymysql
import pytest

from local_aws.services.database import DatabaseServer
from local_aws.services.database_binary import find_database
from local_aws.services.errors import DatabaseMissingError, LocalServiceError


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with DatabaseServer(cache=tmp_path_factory.mktemp("cache")) as started:
        yield started


def query(server, statement, **arguments):
    with contextlib.closing(server.connect(**arguments)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_the_server_listens_on_the_loopback_interface_only(server):
    sockets = psutil.Process(server.pid).net_connections("inet")

    listening = [tuple(socket.laddr) for socket in sockets if socket.status == psutil.CONN_LISTEN]

    assert listening == [("127.0.0.1", server.port)]


@pytest.mark.parametrize(
    ("user", "password"), [("ddb2aurora", "wrong"), ("ddb2aurora", ""), ("root", ""), ("mysql", ""), ("", "")]
)
def test_a_client_without_the_password_is_refused(server, user, password):
    with pytest.raises(pymysql.err.OperationalError, match="Access denied for user"):
        server.connect(user=user, password=password)


def test_text_is_utf8mb4_and_times_are_utc(server):
    rows = query(server, "SELECT @@character_set_server, @@global.time_zone, @@log_bin, @@max_allowed_packet")

    assert rows == (("utf8mb4", "+00:00", 0, 64 * 2**20),)


def test_the_server_reads_files_from_its_one_folder_and_from_no_other(server, tmp_path):
    outside = tmp_path / "rows.csv"
    outside.write_text("2\n")
    outside.chmod(0o644)
    (server.files / "rows.csv").write_text("1\n")
    with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE folder")
        cursor.execute("CREATE TABLE folder.t (n INT)")

        cursor.execute(f"LOAD DATA INFILE '{server.files}/rows.csv' INTO TABLE folder.t")
        with pytest.raises(pymysql.err.OperationalError) as refusal:
            cursor.execute(f"LOAD DATA INFILE '{outside}' INTO TABLE folder.t")
        cursor.execute("SELECT n FROM folder.t")

        assert refusal.value.args[0] == 1290
        assert cursor.fetchall() == ((1,),)


def test_committed_rows_survive_a_kill_and_the_port_stays(server):
    with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE survives")
        cursor.execute("CREATE TABLE survives.t (n INT) ENGINE=InnoDB")
        cursor.execute("INSERT INTO survives.t VALUES (1)")
        connection.commit()
        cursor.execute("INSERT INTO survives.t VALUES (2)")
        port, first_process = server.port, server.pid

        server.kill()
        down = server.pid
        server.start()

    assert down is None
    assert server.port == port
    assert server.pid != first_process
    assert query(server, "SELECT n FROM survives.t") == ((1,),)


def test_a_restart_keeps_the_data(server):
    query(server, "CREATE DATABASE restarts")

    server.restart()

    assert query(server, "SHOW DATABASES LIKE 'restarts'") == (("restarts",),)


def test_after_its_end_neither_process_nor_folder_is_left(tmp_path):
    with DatabaseServer(cache=tmp_path) as server:
        process, folder = psutil.Process(server.pid), server.files.parent
        assert folder.is_dir()

    assert not process.is_running()
    assert not folder.exists()


def test_two_servers_run_side_by_side(server):
    with DatabaseServer() as other:
        query(other, "CREATE DATABASE only_here")

        assert query(server, "SHOW DATABASES LIKE 'only_here'") == ()


def test_a_machine_without_a_server_says_what_to_install():
    with pytest.raises(DatabaseMissingError, match="apt-get install mariadb-server"):
        find_database(folders=["/nonexistent/*"], search_path="/nonexistent")


def test_a_program_that_is_no_database_is_named():
    with pytest.raises(LocalServiceError, match="/echo does not look like a MySQL or MariaDB server"):
        DatabaseServer(binary=shutil.which("echo")).__enter__()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(tmp_path):
    binary = find_database()
    broken = tmp_path / "mysqld"
    broken.write_text(
        f'#!/bin/sh\ncase "$*" in *--version*|*bootstrap*|*--initialize*) exec {binary.path} "$@" ;; esac\n'
        "echo 'the disk is on fire'; exit 1\n"
    )
    broken.chmod(0o755)

    with pytest.raises(LocalServiceError, match=r"ended while it started(.|\n)*server.log:(.|\n)*the disk is on fire"):
        DatabaseServer(binary=broken).__enter__()
