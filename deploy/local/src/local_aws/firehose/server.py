"""Serve the stand-in from a thread."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from local_aws.faults import NO_FAULTS, Faults
from local_aws.firehose.api import api
from local_aws.firehose.engine import Engine
from local_aws.firehose.services import Services
from local_aws.firehose.statistics import Statistics
from local_aws.functions import Function
from local_aws.serving import HttpServing

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
        self._serving = HttpServing(name="firehose-http", host=host, port=port)
        self._journal = journal

    def start(self) -> None:
        """
        Begin to answer; when this returns, the address can be connected to.

        Raises:
            OSError: The port is taken.
        """
        self._serving.bind()
        self.engine = Engine(self._services, journal=self._journal)
        self._serving.serve(api(self.engine, faults=self._services.faults))

    def stop(self, *, flush_seconds: float | None = None) -> bool:
        """
        Answer no more, deliver what waits if *flush_seconds* allow for it, stop, and say whether all is delivered.

        Without a journal, what is not delivered is lost.
        """
        self._serving.stop()
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
        return self._serving.url

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
