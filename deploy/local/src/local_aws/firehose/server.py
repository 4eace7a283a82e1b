"""Serve the stand-in from a thread."""

import socket
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

from uvicorn import Config, Server

from local_aws.faults import NO_FAULTS, Faults
from local_aws.firehose.api import api
from local_aws.firehose.engine import Engine
from local_aws.firehose.services import Services
from local_aws.firehose.statistics import Statistics
from local_aws.functions import Function

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class FirehoseServer:
    """
    A stand-in for Data Firehose behind an HTTP address, from `start` to `stop` or as a context manager.

    Role ARNs and signatures are accepted and not evaluated.
    """

    def __init__(
        self,
        *,
        s3: "S3Client",
        resolve_function: Callable[[str], Function],
        faults: Faults = NO_FAULTS,
        host: str = "127.0.0.1",
        port: int = 0,
        journal: Path | None = None,
        account: str = "000000000000",
        region: str = "us-east-1",
    ) -> None:
        """
        Deliver to *s3*; transform with what *resolve_function* returns for an ARN (LookupError: there is none).

        Port 0 takes a free one. *journal* is a folder that keeps accepted records and streams over a crash.
        """
        self._services = Services(
            s3=s3, resolve_function=resolve_function, faults=faults, account=account, region=region
        )
        self._host = host
        self._port = port
        self._journal = journal

    def start(self) -> None:
        """
        Begin to answer; when this returns, the address can be connected to.

        Raises:
            OSError: The port is taken.
        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((self._host, self._port))
        except OSError:
            self._socket.close()
            raise
        # Connections are queued from here on, before the server's loop runs.
        self._socket.listen(128)
        self._bound_port: int = self._socket.getsockname()[1]
        self.engine = Engine(self._services, journal=self._journal)
        config = Config(
            api(self.engine, faults=self._services.faults),
            http="h11",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            # The fault that breaks connections is an error to the server, which would log each.
            log_level="critical",
            timeout_graceful_shutdown=5,
        )
        self._server = Server(config)
        sockets = [self._socket]
        self._thread = Thread(target=self._server.run, args=(sockets,), name="firehose-http", daemon=True)
        self._thread.start()

    def stop(self, *, flush_seconds: float | None = None) -> bool:
        """
        Answer no more, deliver what waits if *flush_seconds* allow for it, stop, and say whether all is delivered.

        Without a journal, what is not delivered is lost.
        """
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        if flush_seconds is not None:
            self.engine.flush(timeout_seconds=flush_seconds)
        drained = self.engine.drained
        self.engine.stop()
        return drained

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address for an SDK's endpoint URL."""
        return f"http://{'127.0.0.1' if self._host == '0.0.0.0' else self._host}:{self._bound_port}"  # noqa: S104 - compared, not bound

    @property
    def waiting(self) -> int:
        """How many accepted records are not delivered yet."""
        return self.engine.waiting

    @property
    def drained(self) -> bool:
        """Whether nothing waits."""
        return self.engine.drained

    def flush(self, *, timeout_seconds: float = 60.0) -> bool:
        """Hurry everything that was accepted until now, and say whether it was delivered in time."""
        return self.engine.flush(timeout_seconds=timeout_seconds)

    def statistics(self) -> dict[str, Statistics]:
        """Return what each stream has counted, by its name."""
        return self.engine.statistics()
