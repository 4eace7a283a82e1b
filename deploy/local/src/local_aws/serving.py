"""Serve an application over HTTP from a thread of this process."""

import socket
from threading import Thread

from starlette.applications import Starlette
from uvicorn import Config, Server

_BACKLOG = 128


class HttpServing:
    """An address that is taken by `bind`, answered at from `serve` on, and given back by `stop`."""

    def __init__(self, *, name: str, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen at *host* and *port*; port 0 takes a free one. *name* is the thread's."""
        self._name = name
        self._host = host
        self._port = port

    def bind(self) -> None:
        """
        Take the address; connections wait from here on.

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
        self._socket.listen(_BACKLOG)
        self._bound_port: int = self._socket.getsockname()[1]

    def serve(self, app: Starlette) -> None:
        """Begin to answer by *app*."""
        config = Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            # A fault that breaks connections is an error to the server, which would log each.
            log_level="critical",
            timeout_graceful_shutdown=5,
        )
        self._server = Server(config)
        sockets = [self._socket]
        self._thread = Thread(target=self._server.run, args=(sockets,), name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer no more, and give the address back."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    @property
    def url(self) -> str:
        """The address for an SDK's endpoint URL."""
        return f"http://{'127.0.0.1' if self._host == '0.0.0.0' else self._host}:{self._bound_port}"  # noqa: S104 - compared, not bound
