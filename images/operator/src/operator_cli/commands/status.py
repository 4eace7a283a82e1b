"""`ddb2aurora status`: how a pipeline is, on one screen."""

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from operator_cli.ages import age_in_ms
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.frame import EXIT_FAILURES, EXIT_FINE, AsJson, Result, as_text
from operator_cli.site import Setting, Site

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from ddb2aurora.pipeline import Pipeline
    from operator_cli.overseeing.attention import Concern
    from operator_cli.overseeing.readings import Queue, Readings, Watched


@dataclass(frozen=True, slots=True)
class Status(Result):
    """What was read about a pipeline, and what of it needs attention."""

    pipeline: "Pipeline"
    readings: "Readings"
    concerns: "tuple[Concern, ...]"

    @property
    def exit_code(self) -> int:
        """See `Result`."""
        return EXIT_FAILURES if self.concerns else EXIT_FINE

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        readings = self.readings
        tables = readings.tables
        return {
            "pipeline": self.pipeline.name,
            "at_ms": readings.at_ms,
            "window_seconds": readings.window_seconds,
            "needs_attention": [concern._asdict() for concern in self.concerns],
            "ledger": asdict(tables.ledger),
            "rejects": dict(tables.rejects),
            "tombstones": None if tables.tombstones is None else asdict(tables.tombstones),
            "horizon_ms": tables.horizon_ms,
            "heartbeat": None if tables.heartbeat is None else tables.heartbeat.as_json(),
            "processed": asdict(readings.waiting),
            "failed": {kind: asdict(kept) for kind, kept in readings.failed.items()},
            "given_up_batches": None if readings.batches is None else asdict(readings.batches),
            "newest_backup_ms": readings.backup_ms,
            "failure_queue": _or_why(readings.queue),
            "cloudwatch": _or_why(readings.watched),
        }

    def for_people(self) -> "Iterable[str | RenderableType]":
        """See `Result`."""
        from operator_cli.overseeing.screen import screen  # noqa: PLC0415 - see operator_cli.registry

        return screen(self.readings, self.concerns, pipeline=self.pipeline)


def _or_why(reading: "Queue | Watched | str") -> dict[str, Any]:
    return {"unavailable": reading} if isinstance(reading, str) else asdict(reading)


def status(
    *,
    pipeline: PipelineName = "web_analytics",
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[str, typer.Option(help="How long --watch waits between two looks.")] = "5s",
    window: Annotated[
        str, typer.Option(help="What is counted as recent: throughput, lag, sums of the ledger, metrics.")
    ] = "15m",
    since: Annotated[str, typer.Option(help="How far back objects that wait are looked for.")] = "1d",
    waiting: Annotated[
        str, typer.Option(help="An object of this age that the ledger lacks waits; a younger one is on its way.")
    ] = "15m",
    heartbeat_within: Annotated[
        str, typer.Option(help="A newest heartbeat that was sent longer ago needs attention.")
    ] = "15m",
    totals: Annotated[
        bool | None,
        typer.Option(
            "--totals/--no-totals",
            help="Sum up the whole ledger as well, which takes the longer the more was loaded: "
            "3 s at a million objects. Default: once yes, with --watch no.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> Result:
    """
    Show how a pipeline is: each stage's last activity, throughput and lag, what waits, and what failed.

    The database and the bucket (BUCKET_NAME) are read, and, where they answer, the queue of failures
    (LOADER_FAILURES_QUEUE_URL) and CloudWatch. The status is 1 when something needs attention: what, and what to do
    first, stands at the end.
    """
    times = _Times(*(age_in_ms(text) for text in (window, since, waiting, heartbeat_within)))
    with_totals = not watch if totals is None else totals
    pause_seconds = age_in_ms(every) / 1000
    site = Site.of(pipeline, folder=pipelines, needs=(Setting.BUCKET,))
    if not watch:
        return look(site, times, totals=with_totals)
    return _watch(site, times, totals=with_totals, pause_seconds=pause_seconds, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Times:
    window_ms: int
    since_ms: int
    waiting_ms: int
    heartbeat_ms: int


def look(site: Site, times: _Times, *, totals: bool) -> Status:
    """
    Read how the pipeline of *site* is, with the *totals* of its ledger or without, and judge it.

    Raises:
        Ddb2AuroraError: The database or the bucket cannot be read.
    """
    from operator_cli.aws import s3_client  # noqa: PLC0415 - see operator_cli.registry
    from operator_cli.overseeing.attention import concerns  # noqa: PLC0415 - as above
    from operator_cli.overseeing.readings import Readings  # noqa: PLC0415 - as above
    from operator_cli.overseeing.storage import Bucket  # noqa: PLC0415 - as above
    from operator_cli.overseeing.tables import read_tables  # noqa: PLC0415 - as above

    name, window_seconds = site.pipeline.name, times.window_ms // 1000
    now = datetime.now(UTC)
    bucket = Bucket(s3_client(), bucket=site[Setting.BUCKET], pipeline=name)
    with site.database() as database:
        first_hour = _hour(now - timedelta(milliseconds=times.since_ms))
        before = now - timedelta(milliseconds=times.waiting_ms)
        waiting = bucket.waiting(database, first_hour=first_hour, before=before)
        tables = read_tables(database, pipeline=name, window_seconds=window_seconds, totals=totals)
    hours = tuple(_hour(now - timedelta(hours=back)) for back in (0, 1))
    readings = Readings(
        at_ms=round(now.timestamp() * 1000),
        window_seconds=window_seconds,
        tables=tables,
        waiting=waiting,
        failed=bucket.failed(),
        batches=bucket.batches(),
        backup_ms=bucket.newest_backup_ms(hours=hours),
        queue=_queue(site),
        watched=_watched(site, start=now - timedelta(seconds=window_seconds), end=now),
    )
    return Status(site.pipeline, readings, tuple(concerns(readings, heartbeat_within_ms=times.heartbeat_ms)))


def _queue(site: Site) -> "Queue | str":
    from operator_cli.aws import AwsCallError, sqs_client  # noqa: PLC0415 - as above
    from operator_cli.overseeing.storage import read_queue  # noqa: PLC0415 - as above

    url = site.get(Setting.LOADER_FAILURES)
    if url is None:
        return f"not known: set {Setting.LOADER_FAILURES.value}"
    try:
        return read_queue(sqs_client(), url=url)
    except AwsCallError as error:
        # A network without an endpoint of SQS has no way to it; the rest is no less worth seeing for that.
        return f"not available: {error}"


def _watched(site: Site, *, start: datetime, end: datetime) -> "Watched | str":
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    from ddb2aurora.metrics import NAMESPACE  # noqa: PLC0415 - as above
    from operator_cli.aws import cloudwatch_client, ours  # noqa: PLC0415 - as above
    from operator_cli.overseeing.cloudwatch import read_cloudwatch  # noqa: PLC0415 - as above

    try:
        return read_cloudwatch(
            cloudwatch_client(),
            namespace=site.get(Setting.METRICS_NAMESPACE) or NAMESPACE,
            pipeline=site.pipeline.name,
            stream_processor=site.get(Setting.STREAM_PROCESSOR),
            delivery_stream=site.get(Setting.DELIVERY_STREAM),
            start=start,
            end=end,
        )
    except (BotoCoreError, ClientError) as error:
        # All that it adds is beside what was read already, and not everybody who looks may ask it.
        return f"not available: {ours(error, where='CloudWatch')}"


def _watch(site: Site, times: _Times, *, totals: bool, pause_seconds: float, as_json: bool) -> Status:
    from rich.console import Console, Group  # noqa: PLC0415 - as above
    from rich.live import Live  # noqa: PLC0415 - as above

    seen = look(site, times, totals=totals)
    try:
        if as_json:
            while True:
                typer.echo(as_text(seen.as_json()))
                time.sleep(pause_seconds)
                seen = look(site, times, totals=totals)
        with Live(console=Console(highlight=False), auto_refresh=False, screen=True) as live:
            while True:
                live.update(Group(*seen.for_people()), refresh=True)
                time.sleep(pause_seconds)
                seen = look(site, times, totals=totals)
    except KeyboardInterrupt:
        # The way to end it: the last look is the result.
        return seen


def _hour(moment: datetime) -> str:
    return moment.strftime("%Y/%m/%d/%H")
