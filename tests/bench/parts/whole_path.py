"""The whole path on this machine: what it carries, how fresh its rows are, and who takes the time."""

from collections.abc import Callable, Sequence
from typing import Any

from benchmarking.machine import ROOT
from benchmarking.sections import Section, thousands
from benchmarking.workloads import reference_pipeline
from paths.alternative import emulator_alone, poller_at
from paths.curves import Step, by_buffer, cpu_table, freshness_plot, most_carried, steps_table
from paths.offer import Carrier, offer_rising

from local_aws.stack.embedded import EmbeddedStack

ORDER = 40
TITLE = "The whole path, embedded"
MINUTES = 6
BUFFERS = (0, 1, 5)
RATES = (250, 500, 1_000, 2_000, 3_000, 4_500, 6_000)
_COMPARED_RATE = 1_000
EMULATOR_CHANGES = 20_000
ABOUT = (
    "New items of the seed's shape are put into the table of the embedded stack, so many a second for eight "
    "seconds, by two processes; a sample of them is watched until their rows can be selected. Offered is what the "
    "table took, carried what became rows until the last one was there. A step is the last one, the knee, when the "
    "table takes less than is offered or the rows fall behind by more than three seconds beyond the buffer. All of "
    "it shares the cores of this machine with the emulator of DynamoDB and S3, the stand-ins for the managed parts, "
    "the database, the writers and the watcher: on AWS only the three functions are ours, and what they take is the "
    "first three columns of the table below."
)
# Tried by hand: no pair of programs came of it that could be measured.
SINGER_TAP = (
    "Not compared: Singer's tap-dynamodb piped into a target for MySQL; no pair from PyPI carries changes. The tap "
    "(1.4.0, the newest) installs, in an environment without a target: they pin different releases of singer-python. "
    "It reaches no endpoint but AWS's and http://localhost:8000, which was forwarded to the emulator. It scanned 2,000 "
    "items; of 2,000 changes that were made after that it read none, because it reads closed shards only, and the "
    "stream's was open."
)
SINGER_TARGETS = (
    "Of the targets, target-mysql (0.8.0) and singer-target-mysql (0.0.2) install, and are packages of one line, "
    "without a program and without a driver for MySQL. macrometa-target-mysql (0.0.12) does not take Python 3.11 or "
    "newer. thk-target-mysql (0.1.3) takes none newer than 3.11.0, and its driver, mysqlclient, has to be compiled. "
    "Made to install on 3.11.7, with PyMySQL as its driver, it refuses the schema of the tap, which names no "
    "properties; with a schema written by hand it cannot merge rows whose key has two columns (MariaDB 10.11: column "
    "'activity_dt' in UPDATE is ambiguous), and no row arrived."
)


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    pipeline = reference_pipeline()
    curves: dict[str, Sequence[Step]] = {}
    for buffer in BUFFERS:
        say(f"buffer {buffer} s")
        with EmbeddedStack([pipeline], buffer_seconds=buffer, cache=ROOT / ".local" / "cache") as stack:
            curves[str(buffer)] = offer_rising(
                pipeline,
                Carrier(stack.environment, lambda: stack.database.connect(autocommit=True)),
                RATES,
                buffer_seconds=buffer,
                say=say,
            )
    say("a poller that upserts each change")
    poller = poller_at(pipeline, RATES, say=say)
    say("the emulator alone")
    return {"buffers": curves, "poller": poller, "emulator": emulator_alone(pipeline, count=EMULATOR_CHANGES)}


def section(measured: dict[str, Any]) -> Section:
    curves = by_buffer(measured["buffers"]) | {"poller": measured["poller"]}
    emulator = measured["emulator"]
    return Section(
        (),
        (
            ABOUT,
            freshness_plot("median", curves, 0.5),
            freshness_plot("99th percentile", curves, 0.99),
            steps_table(curves),
            (
                "The emulator alone, with two writers as fast as they can and one reader of the stream that does "
                f"nothing else, takes {thousands(emulator['put'])} changes a second and gives "
                f"{thousands(emulator['read'])}. The poller is a loop that reads the stream and upserts each change by "
                "itself, without versions, retries, rejects or a restart; it carries "
                f"{thousands(most_carried(measured['poller']))} a second at most."
            ),
            "CPU time in µs a change, by process, at a rate that all curves have and at the last.",
            cpu_table(curves, compared_rate=_COMPARED_RATE),
            SINGER_TAP,
            SINGER_TARGETS,
        ),
    )
