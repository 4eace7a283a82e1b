"""
A proxy that makes an ordinary MySQL or MariaDB server understand Aurora's `LOAD DATA FROM S3`.

Every other statement passes through untouched. Clients and server talk in plain text through it. The user who loads
needs the FILE privilege on the server behind, because the server reads a file of its own in place of the object.
"""

import asyncio
import contextlib
import logging
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from local_aws.aurora.attacks import Scene
from local_aws.aurora.session import Place, Session
from local_aws.faults import NO_FAULTS, Faults
from local_aws.services.ports import LOOPBACK

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOG = logging.getLogger(__name__)


class AuroraProxy:
    """Serve clients until told to stop: as a context manager in a thread of its own, or with `serve` in a loop."""

    def __init__(
        self,
        *,
        s3: "S3Client",
        server_host: str,
        server_port: int,
        files: Path,
        server_files: Path | None = None,
        host: str = LOOPBACK,
        port: int = 0,
        roles_active_on_login: bool = False,
        faults: Faults = NO_FAULTS,
    ) -> None:
        """
        Prepare a proxy before the server at *server_host* and *server_port*.

        *files* is the folder that the server may load files from (`secure_file_priv`), and *server_files* is its path
        as the server sees it, when that differs. *s3* belongs to the cluster: its region is the cluster's. The proxy
        listens on *host* and *port*, 0 for any free one. With *roles_active_on_login* sessions need no `SET ROLE`, as
        with Aurora's parameter `activate_all_roles_on_login`. *faults* may strike any statement of a client.
        """
        self._place = Place(
            client=s3,
            files=files,
            server_files=server_files or files,
            role_active_at_login=roles_active_on_login,
            scene=Scene(faults),
        )
        self._server = (server_host, server_port)
        self.host = host
        self.port = port
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        """
        Start to listen.

        Raises:
            OSError: The port is taken.
        """
        self._thread = threading.Thread(target=self._run, name="aurora-proxy")
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close every connection and stop to listen."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def serve(self, stop: asyncio.Event) -> None:
        """
        Serve clients until *stop* is set, then close every connection.

        Raises:
            OSError: The port is taken.
        """
        sessions: set[asyncio.Task[None]] = set()

        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                sessions.add(task)
                task.add_done_callback(sessions.discard)
            with contextlib.suppress(asyncio.CancelledError):  # the stream protocol would report it as a failure
                await self._connected(reader, writer)

        listener = await asyncio.start_server(accepted, self.host, self.port)
        self.port = listener.sockets[0].getsockname()[1]
        self._ready.set()
        await stop.wait()
        listener.close()
        for task in sessions:
            task.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
        await listener.wait_closed()

    def _run(self) -> None:
        """Be the thread."""
        try:
            asyncio.run(self._serve_in_thread())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for us
            self._failure = error
        finally:
            self._ready.set()

    async def _serve_in_thread(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        await self.serve(self._stop)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client; a server that cannot be reached shows as a connection that ends at once."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(_close, writer)
            try:
                server = await asyncio.open_connection(*self._server)
                stack.push_async_callback(_close, server[1])
                await Session(self._place, client=(reader, writer), server=server).run()
            except (OSError, EOFError) as error:
                _LOG.info("connection ended: %s", error)
            except Exception:  # noqa: BLE001 - one client's failure must not end the others
                _LOG.exception("connection failed")


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close a connection, whatever state it is in."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
