"""Two loaders for one object at the same moment, as when S3 announces it twice and Lambda runs both at once."""

import contextlib
import random
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Self

import pymysql

from local_aws.chaos.mending import Mender
from local_aws.faults import Faults
from local_aws.functions import Function
from operator_cli.sweeping import announcement_of

if TYPE_CHECKING:
    from pymysql.connections import Connection

_FAULT: Final = "loader.same_object"
_PAUSE_SECONDS: Final = 0.3


class Twins:
    """Have objects that are not loaded yet loaded twice at once, whenever that has happened too rarely."""

    def __init__(
        self,
        mender: Mender,
        loader: Function,
        faults: Faults,
        *,
        connected: Callable[[], AbstractContextManager["Connection[Any]"]],
    ) -> None:
        """Ask *mender* for the objects. Whether two loaders have really met is seen, and counted, by the proxy."""
        self._mender = mender
        self._loader = loader
        self._faults = faults
        self._connected = connected
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chaos twins", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, and wait for the loads that run."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_PAUSE_SECONDS):
            # The server may be down at this moment.
            if self._faults.behind(_FAULT):
                with contextlib.suppress(pymysql.err.Error, OSError):
                    self._load_one_twice()

    def _load_one_twice(self) -> None:
        with self._connected() as connection:
            lacking = self._mender.lacking(connection)
        if lacking:
            # Not by the faults' own generator: how often this comes by depends on the machine.
            event = announcement_of(random.choice(lacking))  # noqa: S311 - no secret
            twins = [threading.Thread(target=self._loader.invoke, args=(event,)) for _ in range(2)]
            for twin in twins:
                twin.start()
            for twin in twins:
                twin.join()
