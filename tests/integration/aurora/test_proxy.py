"""What passes through the proxy untouched, and what happens to those who disappear."""

import contextlib
import gc
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import psutil
import pymysql
import pytest
from botocore.config import Config

from local_aws.aurora.proxy import AuroraProxy
from local_aws.services.database import DatabaseServer
from local_aws.services.ports import free_port


@contextlib.contextmanager
def proxy_to(server, s3, **options):
    with AuroraProxy(s3=s3, server_host=server.host, server_port=server.port, files=server.files, **options) as running:
        yield running


@pytest.fixture
def proxy(aws, database_server):
    with proxy_to(database_server, aws.client("s3"), roles_active_on_login=True) as running:
        yield running


@pytest.fixture
def session(proxy, database):
    with contextlib.closing(database.connect(port=proxy.port, local_infile=True, autocommit=True)) as connection:
        yield connection


def query(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def sessions(connection):
    """Return the ids of the server's sessions."""
    return [row[0] for row in query(connection, "SHOW PROCESSLIST")]


def eventually(condition):
    """Say whether *condition* comes true within some seconds."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_a_query_and_an_answer_of_more_than_16_mib_pass(session):
    length = 17 * 2**20

    ((answer,),) = query(session, f"SELECT '{'x' * length}'")

    assert len(answer) == length


def test_a_query_of_exactly_a_full_packet_passes(session):
    length = 2**24 - 1 - 1 - len("SELECT ''")  # with the command's byte the payload is 16 MiB - 1

    ((answer,),) = query(session, f"SELECT '{'x' * length}'")

    assert len(answer) == length


def test_a_local_file_of_thousands_of_packets_passes(session, tmp_path):
    # Sequence numbers wrap around every 256 packets; a line that looks like a command must not be taken for one.
    file = tmp_path / "rows"
    # The length divides that of a packet, so that every packet begins with such a line.
    line = b"\x03LOAD DATA FROM S3 's3://b/k' INTO TABLE t".ljust(63, b"x") + b"\n"
    file.write_bytes(line * 200_000)
    query(session, "CREATE TABLE t (s VARCHAR(100))")

    query(session, f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE t")

    assert query(session, "SELECT COUNT(*), COUNT(DISTINCT s) FROM t") == ((200_000, 1),)


def test_warnings_are_the_servers_own_even_for_errors_of_aurora(session):
    with pytest.raises(pymysql.err.MySQLError):
        query(session, "LOAD DATA FROM S3 's3://no-such-bucket/k' INTO TABLE t")

    assert query(session, "SHOW WARNINGS") == (("Error", 1815, "Internal error: Unable to initialize S3Stream"),)


def test_a_reset_of_the_connection_takes_the_role_away(aws, database_server, database):
    with (
        proxy_to(database_server, aws.client("s3")) as proxy,
        contextlib.closing(database.connect(port=proxy.port)) as connection,
    ):
        query(connection, "SET ROLE ALL")
        connection._execute_command(0x1F, b"")  # COM_RESET_CONNECTION, for which the driver has no method
        connection._read_ok_packet()
        with pytest.raises(pymysql.err.OperationalError) as refused:
            query(connection, "LOAD DATA FROM S3 's3://b/k' INTO TABLE t")

    assert refused.value.args[0] == 1227


def test_the_state_of_the_transaction_is_known_after_a_set_role(proxy, database):
    with contextlib.closing(database.connect(port=proxy.port, autocommit=False)) as connection:
        query(connection, "SET ROLE ALL")

        assert connection.get_autocommit() is False


def test_two_sessions_load_at_the_same_time(aws, proxy, database):
    bucket = aws.bucket()
    rows = {name: "".join(f"{name}{n}\n" for n in range(20_000)) for name in "ab"}
    for name, text in rows.items():
        aws.client("s3").put_object(Bucket=bucket, Key=name, Body=text.encode())
    with contextlib.closing(database.connect()) as connection:
        query(connection, "CREATE TABLE t (s VARCHAR(10))")
    together = threading.Barrier(2)

    def load(name):
        with contextlib.closing(database.connect(port=proxy.port, autocommit=True)) as connection:
            together.wait()
            query(connection, f"LOAD DATA FROM S3 's3://{bucket}/{name}' INTO TABLE t")

    threads = [threading.Thread(target=load, args=(name,)) for name in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with contextlib.closing(database.connect()) as connection:
        loaded = query(connection, "SELECT LEFT(s, 1), COUNT(DISTINCT s), COUNT(*) FROM t GROUP BY 1 ORDER BY 1")
    assert loaded == (("a", 20_000, 20_000), ("b", 20_000, 20_000))


def test_the_command_line_client_loads(aws, proxy, database):
    client = shutil.which("mariadb") or shutil.which("mysql")
    assert client, "a server was found, but neither mariadb nor mysql"
    bucket = aws.bucket()
    aws.client("s3").put_object(Bucket=bucket, Key="k", Body=b"1\n2\n")
    load = f"LOAD DATA FROM S3 's3://{bucket}/k' INTO TABLE t"
    statements = ["CREATE TABLE t (n INT)", "SET ROLE ALL", load, "SELECT n FROM t"]

    result = subprocess.run(
        [client, "--no-defaults", f"--host={proxy.host}", f"--port={proxy.port}", f"--user={database.user}",
         f"--password={database.password}", "--batch", "--skip-column-names", database.name, "--execute",
         "; ".join(statements)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (result.returncode, result.stdout, result.stderr) == (0, "1\n2\n", "")


class S3Double:
    """An S3 endpoint that answers as a test wants, for what the emulator never does."""

    def __init__(self, respond):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self):
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self):
                respond(self)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self):
        self._thread.start()
        self.client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self._server.server_port}",
            region_name="us-east-1",
            aws_access_key_id="fake",
            aws_secret_access_key="fake",
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
        )
        return self

    def __exit__(self, *_):
        self.client.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_access_denied_by_s3_is_error_63985(database_server, database):
    def deny(request):
        body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        request.send_response(403)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    with (
        S3Double(deny) as s3,
        proxy_to(database_server, s3.client, roles_active_on_login=True) as proxy,
        contextlib.closing(database.connect(port=proxy.port)) as connection,
        pytest.raises(pymysql.err.MySQLError) as refused,
    ):
        query(connection, "LOAD DATA FROM S3 's3://bucket/k' INTO TABLE t")

    assert (refused.value.args[0] % 2**16, refused.value.args[1]) == (63985, "S3 API returned error: Access Denied")


def test_an_object_that_breaks_off_is_an_error_and_loads_nothing(database_server, database):
    def break_off(request):
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"1\n2\n")
        request.close_connection = True

    with (
        S3Double(break_off) as s3,
        proxy_to(database_server, s3.client, roles_active_on_login=True) as proxy,
        contextlib.closing(database.connect(port=proxy.port, autocommit=True)) as connection,
    ):
        query(connection, "CREATE TABLE t (n INT)")
        with pytest.raises(pymysql.err.MySQLError) as refused:
            query(connection, "LOAD DATA FROM S3 's3://bucket/k' INTO TABLE t")
        loaded = query(connection, "SELECT n FROM t")

    assert refused.value.args[1] == "S3 API returned error: Network Connection"
    assert loaded == ()
    assert list(database_server.files.iterdir()) == []


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda victim, _: victim._sock.shutdown(socket.SHUT_RDWR), id="the client leaves"),
        pytest.param(lambda victim, direct: query(direct, f"KILL {victim.thread_id()}"), id="the server ends it"),
    ],
)
def test_a_connection_that_ends_during_a_load_leaves_no_session_no_file_and_no_row(
    database_server, database, caplog, end
):
    started = threading.Event()

    def go_on_for_ever(request):
        request.send_response(200)
        request.send_header("Content-Length", str(2**40))
        request.end_headers()
        with contextlib.suppress(OSError):
            while True:
                request.wfile.write(b"1\n" * 2**16)
                started.set()
                time.sleep(0.02)

    def lose(connection):
        with contextlib.suppress(pymysql.err.OperationalError):
            query(connection, "LOAD DATA FROM S3 's3://bucket/k' INTO TABLE t")

    with (
        S3Double(go_on_for_ever) as s3,
        proxy_to(database_server, s3.client, roles_active_on_login=True) as proxy,
        contextlib.closing(database.connect(autocommit=True)) as direct,
    ):
        query(direct, "CREATE TABLE t (n INT)")
        victim = database.connect(port=proxy.port, autocommit=True)
        loading = threading.Thread(target=lose, args=(victim,))
        loading.start()
        started.wait()
        present = [victim.thread_id() in sessions(direct), len(list(database_server.files.iterdir()))]

        end(victim, direct)
        loading.join()

        assert present == [True, 1]
        assert eventually(lambda: victim.thread_id() not in sessions(direct))
        assert eventually(lambda: list(database_server.files.iterdir()) == [])
        assert query(direct, "SELECT n FROM t") == ()
    gc.collect()  # what a task raised and nobody asked for is logged when the task is collected
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def test_a_server_that_dies_ends_the_clients_connection_and_a_new_one_works_afterwards(aws, tmp_path):
    with DatabaseServer(cache=tmp_path) as server, proxy_to(server, aws.client("s3")) as proxy:
        connection = server.connect(port=proxy.port)
        server.kill()
        with pytest.raises(pymysql.err.OperationalError) as lost:
            query(connection, "SELECT 1")
        with pytest.raises(pymysql.err.OperationalError) as unreachable:
            server.connect(port=proxy.port)
        server.start()

        with contextlib.closing(server.connect(port=proxy.port)) as again:
            assert query(again, "SELECT 1") == ((1,),)

    assert lost.value.args[0] in (2006, 2013)
    assert unreachable.value.args[0] in (2003, 2013)


def test_the_end_of_the_proxy_ends_its_sessions(aws, database_server, database):
    with proxy_to(database_server, aws.client("s3")) as proxy:
        connection = database.connect(port=proxy.port)

    with pytest.raises(pymysql.err.OperationalError):
        query(connection, "SELECT 1")
    with pytest.raises(pymysql.err.OperationalError):
        database.connect(port=proxy.port)


def test_a_port_that_is_taken_is_an_error_at_once(aws, database_server):
    with pytest.raises(OSError, match="address already in use"):
        AuroraProxy(
            s3=aws.client("s3"),
            server_host=database_server.host,
            server_port=database_server.port,
            files=database_server.files,
            port=database_server.port,
        ).__enter__()


def test_the_proxy_runs_as_a_process_of_its_own(aws, database_server, database):
    bucket, port = aws.bucket(), free_port()
    aws.client("s3").put_object(Bucket=bucket, Key="k", Body=b"1\n")
    environment = {
        **aws.environment,
        "AURORA_SERVER_HOST": database_server.host,
        "AURORA_SERVER_PORT": str(database_server.port),
        "AURORA_LISTEN_PORT": str(port),
        "AURORA_FILES": str(database_server.files),
        "AURORA_ROLES_ACTIVE_ON_LOGIN": "1",
    }
    process = subprocess.Popen([sys.executable, "-m", "local_aws.aurora"], env=environment)
    try:
        listening = [("127.0.0.1", port)]
        assert eventually(lambda: [c.laddr for c in psutil.Process(process.pid).net_connections()] == listening)
        with contextlib.closing(database.connect(port=port)) as connection:
            query(connection, "CREATE TABLE t (n INT)")
            query(connection, f"LOAD DATA FROM S3 's3://{bucket}/k' INTO TABLE t")
            loaded = query(connection, "SELECT n FROM t")
    finally:
        os.kill(process.pid, signal.SIGTERM)
        status = process.wait()

    assert loaded == ((1,),)
    assert status == 0
