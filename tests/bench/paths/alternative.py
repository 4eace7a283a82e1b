"""The emulator and a database with a poller between them, as a user would write first; and the emulator alone."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarking.machine import ROOT

from ddb2aurora.pipeline import Pipeline
from local_aws.services.database import DatabaseServer
from local_aws.services.ministack import MiniStack
from local_aws.stack import resources
from local_aws.stack.clients import Clients
from paths.offer import Carrier, offer_rising
from paths.writing import BATCH, WRITERS, Writers

_TABLE = """
CREATE TABLE Demo.WebAnalytics (
    page_id VARCHAR(100), activity_dt VARCHAR(32), timestarted BIGINT, hits INT, start_time VARCHAR(100),
    end_time VARCHAR(100), country_code VARCHAR(100), PRIMARY KEY (page_id, activity_dt)
)
"""
_QUIET_SECONDS = 2


def poller_at(pipeline: Pipeline, rates: Sequence[int], *, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Offer *rates* to a poller, up to the knee."""
    with MiniStack() as ministack, DatabaseServer(cache=ROOT / ".local" / "cache" / "databases") as database:
        with database.connect(autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE IF NOT EXISTS Demo")
            cursor.execute(_TABLE)
        resources.make_table(Clients(ministack.environment), pipeline)
        reached = {"host": database.host, "port": database.port, "user": database.user, "password": database.password}
        carrier = Carrier(ministack.environment, lambda: database.connect(autocommit=True))
        with _poller(ministack.environment, database=reached, discard=False):
            return offer_rising(pipeline, carrier, rates, buffer_seconds=0, say=say)


def emulator_alone(pipeline: Pipeline, *, count: int) -> dict[str, float]:
    """Return how many changes a second the emulator takes as fast as they come, and gives to who only reads them."""
    count = count // (BATCH * WRITERS) * BATCH * WRITERS
    with MiniStack() as ministack:
        resources.make_table(Clients(ministack.environment), pipeline)
        writers = Writers(ministack.environment, first=0, count=count, rate=count * 100, every=count)
        with _poller(ministack.environment, database={}, discard=True) as poller:
            writers.go()
            written = writers.end()
            time.sleep(_QUIET_SECONDS)
            told = _told(poller)
    return {
        "count": told["count"],
        "put": round(count / (written.ended - written.began), 1),
        "read": round(told["count"] / (told["last"] - written.began), 1),
    }


@contextmanager
def _poller(
    environment: Mapping[str, str], *, database: Mapping[str, Any], discard: bool
) -> Iterator["subprocess.Popen[str]"]:
    settings = {
        "url": environment["AWS_ENDPOINT_URL"],
        "region": environment["AWS_REGION"],
        "database": database,
        "discard": discard,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "paths.poller", json.dumps(settings)],
        cwd=ROOT / "tests" / "bench",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError(f"the poller ended with {process.wait()}; its own words stand above")
        yield process
    finally:
        if process.poll() is None:
            process.communicate("end\n")


def _told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    told, _ = process.communicate("end\n")
    return json.loads(told)
