"""What `ddb2aurora rebuild` does with the services of a site, from its options to its result."""

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from ddb2aurora.database.described import kinds_of_tables
from ddb2aurora.errors import HaltError
from operator_cli.aws import s3_client
from operator_cli.named_locks import alone
from operator_cli.progress import progress
from operator_cli.rebuilding.counting import count_only
from operator_cli.rebuilding.counts import Counts
from operator_cli.rebuilding.objects import BackupBucket
from operator_cli.rebuilding.rebuild import Bounds, OutOfTimeError, Rebuild
from operator_cli.rebuilding.report import Outcome, Report
from operator_cli.rebuilding.runs import REBUILD, Backfilled, Run, Runs
from operator_cli.rebuilding.shadow import Shadow, Sides, shadow_table, tables_named
from operator_cli.rebuilding.watching import Display
from operator_cli.site import Database, Setting, Site
from operator_cli.verifying.mending import REPAIR

# A few rows were repaired, or go further back than the backup; many are a sign of something else.
_MOST_LACKING_SHARE: Final = 0.01


class BackfilledRowsError(HaltError):
    """Nobody said what is to become of the backfilled rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The options of the command; *swap* is None where the findings decide."""

    until_ms: int | None = None
    swap: bool | None = None
    backfilled: Backfilled | None = None
    dry_run: bool = False
    drop_old: bool = False
    restart: bool = False
    bounds: Bounds = field(default_factory=Bounds)


def rebuild_site(site: Site, wishes: Wishes) -> Report:
    """
    Rebuild the target of *site* and return what came of it.

    Raises:
        BackfilledRowsError: The target holds backfilled rows, and nobody said what is to become of them.
        RebuildRunningError: Somebody else rebuilds the target.
        RetryError: A service does not answer; the same command goes on.
        HaltError: Someone has to act first.
    """
    started = time.monotonic()
    bucket = BackupBucket(
        s3_client(connections=2 * wishes.bounds.threads), bucket=site[Setting.BUCKET], pipeline=site.pipeline
    )
    with site.database() as database, progress() as bars:
        target = f"{database.name}.{site.pipeline.target_table}"
        display = Display(bars)
        if wishes.dry_run:
            return _dry(site, wishes, bucket, target=target, display=display, started=started)
        with alone(database.connection, REBUILD, target=target):
            return _Command(site, wishes, database, bucket, display, target=target, started=started).run()


class _Command:
    """One call of the command, which is the only rebuild of the target."""

    def __init__(
        self,
        site: Site,
        wishes: Wishes,
        database: Database,
        bucket: BackupBucket,
        display: Display,
        *,
        target: str,
        started: float,
    ) -> None:
        self._site = site
        self._wishes = wishes
        self._database = database
        self._bucket = bucket
        self._display = display
        self._target = target
        self._started = started
        self._runs = Runs(database.connection, database=database.name, pipeline=site.pipeline, until_ms=wishes.until_ms)

    def run(self) -> Report:
        """Go on with what is unfinished, or begin, and return what came of it."""
        run = self._runs.open()
        if run is not None and run.phase == "switching" and self._was_switched(run):
            self._rebuild(run).finish()
            return self._switched(run, sides=None, left_behind=(), rebuild=None)
        run = self._run(run)
        shadow, rebuild = self._shadow(run), self._rebuild(run)
        try:
            rebuild.build()
        except OutOfTimeError:
            return self._report("unfinished", run, table=shadow.tables.target.name)
        self._display.doing("comparing with the live table")
        # At an earlier point in time many rows were not there yet.
        sides, left_behind = shadow.compare(lacking=self._wishes.until_ms is None), shadow.left_behind()
        if sides.lacking:
            # Loads went on while rows were compared; what they brought is caught up with below.
            sides = replace(sides, lacking=max(0, sides.lacking - rebuild.rows_to_catch_up_with()))
        swap = self._wishes.swap
        if swap is None and self._wishes.until_ms is None:
            reasons = self._doubts(run, rebuild, sides, left_behind)
        else:
            reasons = ()
        wanted = self._wishes.until_ms is None if swap is None else swap
        done = False
        if wanted and not reasons:
            with alone(self._database.connection, REPAIR, target=self._target):
                done = rebuild.switch(even_if_lacking=bool(swap))
            if not done:
                reasons = (_unaccounted(rebuild.unaccounted),)
        if done:
            return self._switched(run, sides=sides, left_behind=left_behind, rebuild=rebuild)
        self._runs.enter(run, "left")
        return self._report(
            "held_back" if reasons else "left",
            run,
            table=shadow.tables.target.name,
            tombstones_table=shadow.tables.tombstones.name if shadow.tables.remembers_deletes else None,
            sides=sides,
            held_back=reasons,
            left_behind=left_behind,
            carried=rebuild.carried,
            unaccounted=rebuild.unaccounted,
        )

    def _run(self, run: Run | None) -> Run:
        """Return *run* if it can go on, or a new one whose tables are made."""
        if run is not None and (self._wishes.restart or not self._shadow(run).is_there):
            self._shadow(run).drop()
            self._runs.enter(run, "given_up")
            run = None
        backfilled = self._wishes.backfilled or (None if run is None else run.backfilled)
        probe = self._shadow(run or Run("", datetime.now(UTC), None))
        if backfilled is None and probe.has_backfilled():
            raise BackfilledRowsError(
                f"{self._target} holds backfilled rows, which no backup has. If the mapping is the same, keep them "
                "with --backfilled keep; if it changed, use --backfilled leave, and run backfill after the switch"
            )
        if run is None:
            run = self._runs.begin(backfilled=backfilled)
            self._shadow(run).make()
        run.backfilled = backfilled
        self._runs.enter(run, "reading")
        return run

    def _was_switched(self, run: Run) -> bool:
        live = self._database.tables
        old = tables_named(live, run.old_table or "-").target.name
        # Both changed their names in one statement.
        there = kinds_of_tables(self._database.connection, self._database.name)
        return old in there and not self._shadow(run).is_there

    def _doubts(self, run: Run, rebuild: Rebuild, sides: Sides, left_behind: tuple[str, ...]) -> tuple[str, ...]:
        found, most = self._runs.counts(run), self._site.pipeline.max_reject_share
        doubts = []
        if found.rejected > most * found.changes:
            doubts.append(f"{found.rejected:,} of {found.changes:,} changes are rejected, more than {most:.1%}")
        if found.damaged:
            doubts.append(f"{found.damaged:,} objects cannot be read to their ends, so changes are missing")
        if rebuild.unaccounted:
            doubts.append(_unaccounted(rebuild.unaccounted))
        if sides.lacking and sides.lacking > _MOST_LACKING_SHARE * sides.live_rows:
            doubts.append(
                f"{sides.lacking:,} of {sides.live_rows:,} rows of the live table are unknown to the backup: "
                "backfilled and left, repaired, or older than the backup goes back"
            )
        doubts += [f"the live table has what the new one has not: {what}" for what in left_behind]
        return tuple(doubts)

    def _switched(
        self, run: Run, *, sides: Sides | None, left_behind: tuple[str, ...], rebuild: Rebuild | None
    ) -> Report:
        old = tables_named(self._database.tables, run.old_table or "-")
        if self._wishes.drop_old:
            for table in (old.target, *([old.tombstones] if old.remembers_deletes else [])):
                self._database.connection.run(f"DROP TABLE IF EXISTS {table.quoted}")
        return self._report(
            "switched",
            run,
            table=self._database.tables.target.name,
            tombstones_table=self._database.tables.tombstones.name if old.remembers_deletes else None,
            old_table=old.target.name,
            old_dropped=self._wishes.drop_old,
            sides=sides,
            left_behind=left_behind,
            carried=0 if rebuild is None else rebuild.carried,
            unaccounted=0 if rebuild is None else rebuild.unaccounted,
            backfilled_left=run.backfilled == "leave",
        )

    def _report(self, outcome: Outcome, run: Run, **parts: Any) -> Report:  # noqa: ANN401 - fields of the report
        return Report(
            outcome=outcome,
            target=self._target,
            found=self._runs.counts(run),
            caught_up=self._runs.loaded(run),
            others=self._others(run),
            until=_shown(self._wishes.until_ms),
            seconds=time.monotonic() - self._started,
            **parts,
        )

    def _others(self, run: Run) -> tuple[str, ...]:
        """Return the tables of rebuilds by another file or to another time."""
        there = kinds_of_tables(self._database.connection, self._database.name)
        tables = (shadow_table(self._site.pipeline.target_table, run_id) for run_id in self._runs.others(run))
        return tuple(table for table in tables if table in there)

    def _shadow(self, run: Run) -> Shadow:
        return Shadow(self._database.connection, self._site.pipeline, self._database.tables, run_id=run.run_id)

    def _rebuild(self, run: Run) -> Rebuild:
        return Rebuild(
            run,
            runs=self._runs,
            shadow=self._shadow(run),
            bucket=self._bucket,
            pipeline=self._site.pipeline,
            database=self._database,
            open_database=self._site.database,
            until_ms=self._wishes.until_ms,
            bounds=self._wishes.bounds,
            watcher=self._display,
        )


def _dry(site: Site, wishes: Wishes, bucket: BackupBucket, *, target: str, display: Display, started: float) -> Report:
    def check_time() -> None:
        ends_at = wishes.bounds.ends_at
        if ends_at is not None and time.monotonic() >= ends_at:
            raise OutOfTimeError

    display.doing("reading the backup")
    found = Counts()
    outcome: Outcome = "counted"
    try:
        count_only(
            bucket,
            site.pipeline,
            sums=found,
            until_ms=wishes.until_ms,
            open_database=site.database,
            watcher=display,
            check_time=check_time,
        )
    except OutOfTimeError:
        outcome = "unfinished"
    return Report(
        outcome=outcome,
        target=target,
        found=found,
        caught_up=Counts(),
        until=_shown(wishes.until_ms),
        seconds=time.monotonic() - started,
    )


def _unaccounted(count: int) -> str:
    what = f"{count:,} changes that were loaded with rows of another shape"
    return f"{what} are not in the backup yet, or are rejected today"


def _shown(until_ms: int | None) -> str | None:
    return None if until_ms is None else datetime.fromtimestamp(until_ms / 1000, UTC).isoformat(timespec="milliseconds")
