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
SINGER = (
    "Not compared: Singer's tap-dynamodb piped into target-mysql. The tap (1.4.0) installs; target-mysql (0.8.0, "
    "the newest on PyPI) is a package of one line, without a program and without a driver for MySQL."
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
            SINGER,
        ),
    )
