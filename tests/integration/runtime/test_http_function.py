import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local_aws.functions import FunctionError, Invocation
from local_aws.runtime.http import HttpFunction


class Emulator(ThreadingHTTPServer):
    """Answers as the Runtime Interface Emulator does, which dies of a second event while it works on one."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.working = threading.Lock()
        self.overlapped = False
        self.served = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        if not server.working.acquire(blocking=False):
            server.overlapped = True
            return
        try:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.served += 1
            if event == "break":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            time.sleep(event.get("sleep", 0))
        finally:
            server.working.release()
        body = json.dumps({"path": self.path, "event": event}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Say nothing."""


@pytest.fixture
def an_emulator():
    started = []

    def start():
        server = Emulator()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((server, thread))
        return server

    yield start
    for server, thread in started:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_event_is_posted_to_the_emulators_address(an_emulator):
    emulator = an_emulator()
    function = HttpFunction(name="sample", url=emulator.url)

    invocation = function.invoke({"a": 1})

    assert invocation.payload == {"path": "/2015-03-31/functions/function/invocations", "event": {"a": 1}}


def test_each_replica_gets_one_event_at_a_time(an_emulator):
    replicas = [an_emulator(), an_emulator()]
    function = HttpFunction(name="sample", url=[replica.url for replica in replicas])

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: function.invoke({"sleep": 0.02}), range(16)))

    assert [answer.error for answer in answers] == [None] * 16
    assert [replica.overlapped for replica in replicas] == [False, False]
    assert sum(replica.served for replica in replicas) == 16
    assert min(replica.served for replica in replicas) > 0


def test_a_connection_that_breaks_means_that_the_process_died(an_emulator):
    function = HttpFunction(name="sample", url=an_emulator().url)

    error = function.invoke("break").error

    assert (error.kind, error.error_type) == ("Unhandled", "Runtime.ExitError")


def test_a_container_that_is_not_up_is_a_throttle_so_that_the_event_is_kept():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        function = HttpFunction(name="sample", url=f"http://{address}")

        invocation = function.invoke({})

    text = f"the container {address} does not accept connections (ConnectionRefusedError)"
    assert invocation == Invocation(
        invocation.request_id, error=FunctionError("Throttled", "TooManyRequestsException", text)
    )


def test_a_container_whose_name_nobody_knows_is_a_throttle_so_that_the_event_is_kept():
    function = HttpFunction(name="sample", url="http://stopped-container.invalid:8080")

    error = function.invoke({}).error

    assert (error.kind, error.error_type) == ("Throttled", "TooManyRequestsException")
