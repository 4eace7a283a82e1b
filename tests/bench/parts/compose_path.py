"""The whole path in containers: what it carries, how fresh its rows are, and which container takes the time."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarking.sections import Section
from benchmarking.workloads import reference_pipeline
from paths.containers import prepare, running
from paths.curves import Step, by_buffer, cpu_table, freshness_plot, steps_table
from paths.offer import Carrier, offer_rising

ORDER = 45
TITLE = "The whole path, in containers"
MINUTES = 10
BUFFERS = (0, 1, 5)
RATES = (50, 100, 200, 400, 800)
IDLE_SECONDS = 5
_COMPARED_RATE = 100
ABOUT = (
    "The same load, the same two writers, the same watch and the same end of a curve as for the embedded stack, put on "
    "the stack of docker-compose.yml, which is brought up for each buffer and taken down again. Here one row in 25 is "
    "watched, so where 50 a second are offered, the 99th percentile is the latest of 16 rows. The same too: the code "
    "of the functions, one place to run for the stream-processor and two each for the others, and the stand-ins for "
    "Data Firehose, the event source mapping, the S3 notifications and LOAD DATA FROM S3."
)
DIFFERENCES = (
    "What differs: each place of a function is a container of its production image, called by AWS's Runtime Interface "
    "Emulator (out of the package aws-sam-cli), which takes one event at a time over HTTP; embedded, it is a process "
    "under our own runtime. LocalStack serves DynamoDB (DynamoDB Local, on a JVM), its streams and S3; embedded, "
    "MiniStack does. The database is MySQL {mysql} without a binary log; embedded, the server that is installed on the "
    "machine. The stand-ins are two containers, not threads of the watcher's process, and the watcher too reads "
    "through the one that knows LOAD DATA FROM S3. Everything talks over the engine's network, and the writers and the "
    "watcher through its ports."
)
STAND_INS = (
    "The base images {tags} were not pulled: they are stand-ins, built by `make offline-images`: Python from Debian's "
    "packages, MySQL from Debian's packages, LocalStack from PyPI with DynamoDB Local's archives out of an npm package "
    "and a JVM of Debian's. Times with the public images may differ."
)
PULLED = "The base images are the public ones that images/bases.env names."
NEEDS_ENGINE = (
    "This part needs a Docker engine with compose: `make engine` gets one, and `make offline-images images` the images "
    "where no image registry is reached. Without them `make bench` measures the other parts, says that this one could "
    "not be, ends with an error, and this section stays as it was last measured."
)
CPU = (
    "CPU time in µs a change, by container, as the engine counts it, at a rate that all curves have and at the last. "
    "A function's is that of its containers with the runtime, the emulator of Lambda and the health checks; what "
    "the engine itself takes for networks and ports is not in it. What a stack takes anyway, with no change to carry, "
    "is in it, and weighs most where few are offered: in ms a second, {idle}."
)


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    say("the images")
    stand_ins = prepare()
    pipeline = reference_pipeline()
    curves: dict[str, Sequence[Step]] = {}
    for buffer in BUFFERS:
        say(f"buffer {buffer} s")
        with running(buffer_seconds=buffer) as carrier:
            mysql = _version(carrier)
            curves[str(buffer)] = offer_rising(
                pipeline,
                carrier,
                RATES,
                buffer_seconds=buffer,
                say=say,
            )
            idle = _idle(carrier)
    return {"stand_ins": stand_ins, "mysql": mysql, "buffers": curves, "idle": idle}


def _idle(carrier: Carrier) -> dict[str, float]:
    """Return the CPU seconds that each kind of container takes in a second without changes."""
    before, began = carrier.cpu_seconds(), time.monotonic()
    time.sleep(IDLE_SECONDS)
    after, ended = carrier.cpu_seconds(), time.monotonic()
    return {name: round((spent - before[name]) / (ended - began), 4) for name, spent in after.items()}


def _version(carrier: Carrier) -> str:
    connection = carrier.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            return str(cursor.fetchone()[0])
    finally:
        connection.close()


def section(measured: dict[str, Any]) -> Section:
    curves = by_buffer(measured["buffers"])
    tags = ", ".join(measured["stand_ins"])
    return Section(
        (),
        (
            ABOUT,
            DIFFERENCES.format(mysql=measured["mysql"]),
            STAND_INS.format(tags=tags) if tags else PULLED,
            NEEDS_ENGINE,
            freshness_plot("median", curves, 0.5),
            freshness_plot("99th percentile", curves, 0.99),
            steps_table(curves),
            CPU.format(idle=", ".join(f"{name} {1e3 * spent:.0f}" for name, spent in sorted(measured["idle"].items()))),
            cpu_table(curves, compared_rate=_COMPARED_RATE),
        ),
    )
