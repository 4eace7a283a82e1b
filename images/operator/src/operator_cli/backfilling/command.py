"""What `ddb2aurora backfill` does with the services of a site, from its options to its result."""

import secrets
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from operator_cli.aws import dynamodb_client, s3_client
from operator_cli.backfilling.copying import Bounds, Copying, now_ms
from operator_cli.backfilling.errors import ExportError, LoaderIdleError, RunConflictError
from operator_cli.backfilling.export_reading import ExportReading
from operator_cli.backfilling.exports import ExportPlace, check_export, place_of, read_export
from operator_cli.backfilling.facts import TableFacts, facts_of
from operator_cli.backfilling.in_flight import InFlightLimit
from operator_cli.backfilling.items import ItemMapper
from operator_cli.backfilling.reading import Reading, ScanReading
from operator_cli.backfilling.report import Backfilled
from operator_cli.backfilling.runs import Runs
from operator_cli.backfilling.segments import InFlight, Run, Segment
from operator_cli.backfilling.starting_export import start_export
from operator_cli.backfilling.target import check_target
from operator_cli.backfilling.watching import Display
from operator_cli.backfilling.writing import Writer
from operator_cli.progress import progress
from operator_cli.scanning.budget import ReadBudget
from operator_cli.scanning.table import TableScan
from operator_cli.site import Setting, Site

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

SCAN: Final = "scan"
_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """
    The options of the command.

    *segments* is None where the table's size decides, *export* and *start_export* where the table is scanned. With
    *resume* there has to be an unfinished run, with *restart* it is given up.
    """

    bounds: Bounds
    segments: int | None = None
    read_units: float | None = None
    export: str | None = None
    start_export: str | None = None
    resume: bool = False
    restart: bool = False
    wait: bool = True
    patience_seconds: float = 1800
    within_seconds: float | None = None


def backfill_site(site: Site, wishes: Wishes) -> Backfilled:
    """
    Begin a backfill or go on with one, and return how far it is.

    Raises:
        RunConflictError: A run is unfinished that does not fit the wishes, or there is none to resume.
        NoStreamError: The table has no stream, or had none when it was exported.
        ExportError: The export cannot be used.
        ClockError: The clock of this machine is wrong.
        RetryError: A service does not answer, or nobody loads; the same command goes on later.
        HaltError: Someone has to act first.
    """
    with site.database() as database:
        check_target(database)
    runs = Runs(site.database, site.pipeline)
    try:
        return _Backfill(site, wishes, runs).run()
    finally:
        runs.close()


class _Backfill:
    """One invocation of the command."""

    def __init__(self, site: Site, wishes: Wishes, runs: Runs) -> None:
        self._site = site
        self._wishes = wishes
        self._runs = runs
        self._dynamodb: DynamoDBClient = dynamodb_client()
        self._s3: S3Client = s3_client(connections=wishes.bounds.threads + 1)
        self._mapper = ItemMapper(site.pipeline)
        self._stopping = threading.Event()
        self._started = time.monotonic()

    def run(self) -> Backfilled:
        pipeline = self._site.pipeline
        facts = facts_of(self._dynamodb, pipeline, now_ms=now_ms)
        stream_began_ms = facts.stream_began_ms(table=pipeline.source_table)
        horizon_ms = self._runs.horizon_ms()
        with progress() as bars:
            display = Display(bars, items=facts.items)
            unfinished = None if self._wishes.restart else self._unfinished()
            place = self._place(unfinished, facts, display)
            reading: Reading
            if place is None:
                reading, count = self._scan(unfinished, facts)
            else:
                export = read_export(self._s3, place)
                check_export(export, pipeline, stream_began_ms=stream_began_ms, horizon_ms=horizon_ms)
                reading, count = ExportReading(self._s3, export, pipeline, key_types=facts.key), len(export.files)
            run = unfinished or self._begin(SCAN if place is None else place.url, count)
            display.resume(
                items=sum(segment.items for segment in run.segments),
                rejected=sum(segment.rejected for segment in run.segments),
            )
            return self._carry(run, reading, display, resumed=unfinished is not None)

    def _scan(self, unfinished: Run | None, facts: TableFacts) -> tuple[ScanReading, int]:
        pipeline, budget = self._site.pipeline, ReadBudget(self._wishes.read_units)
        wanted = len(unfinished.segments) if unfinished else self._wishes.segments
        segments = wanted or facts.segments(threads=self._wishes.bounds.threads)
        scan = TableScan(self._dynamodb, pipeline.source_table, budget=budget)
        return ScanReading(scan, pipeline, segments=segments, budget=budget), segments

    def _unfinished(self) -> Run | None:
        """Return the run to go on with, None to begin one."""
        wishes, found = self._wishes, self._runs.newest_unfinished()
        if found is None:
            if wishes.resume:
                raise RunConflictError(
                    f"no backfill of {self._site.pipeline.name} is unfinished; leave --resume out to begin one"
                )
            return None
        hint = f"run {found.run_id} is unfinished; --resume goes on with it as it was begun, --restart begins anew"
        if wishes.resume:
            return found
        wanted = SCAN if wishes.export is None else place_of(wishes.export).url
        fits = found.source == wanted if wishes.start_export is None else found.source != SCAN
        if not fits:
            raise RunConflictError(f"it reads {found.source}, and that is not what is wanted now: {hint}")
        if found.source == SCAN and wishes.segments not in (None, len(found.segments)):
            # DynamoDB: every page of a Scan has to name the same TotalSegments.
            raise RunConflictError(f"it has {len(found.segments)} segments, not {wishes.segments}: {hint}")
        if found.shape != self._site.pipeline.shape:
            raise RunConflictError(f"the pipeline file has other columns since: {hint}")
        return found

    def _place(self, unfinished: Run | None, facts: TableFacts, display: Display) -> ExportPlace | None:
        if unfinished is not None:
            return None if unfinished.source == SCAN else place_of(unfinished.source)
        if self._wishes.start_export is not None:
            return start_export(self._dynamodb, facts, self._wishes.start_export, told=display.say)
        return None if self._wishes.export is None else place_of(self._wishes.export)

    def _begin(self, source: str, segments: int) -> Run:
        if self._wishes.restart:
            while (given_up := self._runs.newest_unfinished()) is not None:
                self._runs.end(given_up, "abandoned")
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        run = Run(run_id, source, self._site.pipeline.shape, tuple(Segment(number) for number in range(segments)))
        self._runs.begin(run)
        return run

    def _carry(self, run: Run, reading: Reading, display: Display, *, resumed: bool) -> Backfilled:
        wishes = self._wishes
        limit = InFlightLimit(
            lambda: self._runs.settle(run),
            patience_seconds=wishes.patience_seconds,
            stopping=self._stopping,
            told=display.flies,
        )
        writer = Writer(self._s3, bucket=self._site[Setting.BUCKET], pipeline=self._site.pipeline, run_id=run.run_id)
        copying = Copying(
            run,
            reading=reading,
            mapper=self._mapper,
            write=writer.write,
            notes=self._runs,
            limit=limit,
            bounds=wishes.bounds,
            watcher=display,
            stopping=self._stopping,
            now_ms=now_ms,
        )
        why, found = "", self._runs.settle(run)
        for _ in range(_ROUNDS):
            if found.refused:
                self._read_again(run, found)
            copying.run(seconds=self._seconds_left())
            found, why = self._await(limit)
            if not found.refused:
                break
        if not found.objects and all(segment.state == "written" for segment in run.segments):
            self._runs.end(run, "loaded")
        return Backfilled.of(
            run,
            resumed=resumed,
            items_now=display.items_now,
            seconds=time.monotonic() - self._started,
            waited=wishes.wait,
            found=found,
            why=why,
        )

    def _await(self, limit: InFlightLimit) -> tuple[InFlight, str]:
        if not self._wishes.wait or self._stopping.is_set():
            return limit.look(), ""
        try:
            return limit.hold(most=0, seconds=self._seconds_left()), ""
        except LoaderIdleError as error:
            return limit.look(), str(error)

    def _read_again(self, run: Run, found: InFlight) -> None:
        if run.source != SCAN:
            raise ExportError(
                f"{run.source} became older than the deletes that the target remembers before all of it was loaded; "
                "export again and use --restart"
            )
        self._runs.read_again(run, found.refused)

    def _seconds_left(self) -> float | None:
        within = self._wishes.within_seconds
        return None if within is None else max(0.0, within - (time.monotonic() - self._started))
