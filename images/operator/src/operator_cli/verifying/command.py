"""What `ddb2aurora verify` does with the services of a site, from its options to its result."""
# ruff: noqa: S608 - statements are put together of quoted names alone, values are parameters

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.schema import Tables
from ddb2aurora.errors import HaltError
from ddb2aurora.logs import fields, get_logger
from ddb2aurora.version import BACKFILL_VERSION
from operator_cli.aws import AwsCallError, AwsSetUpError, dynamodb_client, streams_client
from operator_cli.named_locks import alone
from operator_cli.progress import progress
from operator_cli.scanning.budget import ReadBudget
from operator_cli.site import Database, Site
from operator_cli.verifying.floor import version_floor
from operator_cli.verifying.mending import REPAIR, Mender
from operator_cli.verifying.notebook import Notebook, Run
from operator_cli.verifying.plan import plan_of
from operator_cli.verifying.repairing import Repairer
from operator_cli.verifying.report import Report
from operator_cli.verifying.sides import Comparison
from operator_cli.verifying.source import Source
from operator_cli.verifying.target import Target
from operator_cli.verifying.verification import Verification
from operator_cli.verifying.watching import Display

_LOG = get_logger("operator")
_LOADS_LOOKED_AT: Final = 200
_SLOW_SHARE: Final = 0.9
_MOST_SETTLE_MS: Final = 600_000
_LEAST_SETTLE_MS: Final = 10_000
_UNKNOWN_SETTLE_MS: Final = 60_000


class TooManyRepairsError(HaltError):
    """More differs than --max-repairs allows to mend; nothing was mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The options of the command; *settle_ms* is None where the pipeline's own lag decides."""

    segments: int = 4
    part: tuple[int, int] = (1, 1)
    sample: float = 1.0
    read_units: float | None = None
    settle_ms: int | None = None
    repair: bool = False
    max_repairs: int = 10_000
    resume: bool = False
    show_keys: bool = False


def verify_site(site: Site, wishes: Wishes) -> Report:
    """
    Compare, and mend if that is wished, and return what was found.

    Raises:
        NotComparableError: The pipeline writes an event log.
        NoRunError: There is nothing to resume.
        TooManyRepairsError: More differs than may be mended.
        RetryError: One of the sides does not answer; the run may be resumed.
        HaltError: One of the sides cannot be read before someone acts.
    """
    pipeline = site.pipeline
    comparison = Comparison(pipeline)
    source = Source(dynamodb_client(), pipeline, budget=ReadBudget(wishes.read_units))
    started = time.monotonic()
    with site.database() as database, _notebook_of(site) as notebook, progress() as bars:
        run = _run_of(site, wishes, database, notebook)
        verification = Verification(
            run,
            source=source,
            comparison=comparison,
            open_target=lambda: _target_of(site),
            notebook=notebook,
            watcher=Display(bars, items=source.about_items),
            now_ms=_now_ms,
            threads=wishes.segments,
        )
        verification.run()
        if wishes.repair:
            _repair(site, database, run, wishes, source, comparison, notebook, verification)
        run.phase = "done"
        notebook.checkpoint(run)
        return Report.of(
            run, notebook=notebook, keys=source.keys, show_keys=wishes.show_keys, seconds=time.monotonic() - started
        )


def _repair(
    site: Site,
    database: Database,
    run: Run,
    wishes: Wishes,
    source: Source,
    comparison: Comparison,
    notebook: Notebook,
    verification: Verification,
) -> None:
    confirmed = sum(count for (_, state), count in notebook.count(run.run_id).items() if state == "confirmed")
    if not confirmed:
        return
    target_name = f"{database.name}.{site.pipeline.target_table}"
    if confirmed > wishes.max_repairs:
        raise TooManyRepairsError(
            f"{confirmed} rows of {target_name} differ, more than --max-repairs {wishes.max_repairs}; nothing was "
            "mended. Is this the right table? If so, run `verify --repair` again with a higher number, or `backfill`"
        )
    with alone(database.connection, REPAIR, target=target_name):
        repairer = Repairer(
            database.connection,
            site.pipeline,
            tables=database.tables,
            comparison=comparison,
            floor=_floor(source),
        )
        Mender(
            run,
            source=source,
            target=Target(database.connection, site.pipeline, database.tables),
            comparison=comparison,
            repairer=repairer,
            notebook=notebook,
            now_ms=_now_ms,
            mended=lambda _: None,
        ).mend(settle=verification.settle)


def _floor(source: Source) -> int:
    try:
        return version_floor(streams_client(), source.stream_arn)
    except (AwsSetUpError, AwsCallError) as error:
        # A gateway endpoint of DynamoDB does not lead to its streams. Version 0 loses to every change: an old one that
        # comes once more may win then, and the next verification finds it; a new one is never lost.
        _LOG.warning("no version floor", extra=fields(reason=str(error)))
        return BACKFILL_VERSION


def _run_of(site: Site, wishes: Wishes, database: Database, notebook: Notebook) -> Run:
    if wishes.resume:
        return notebook.newest_unfinished()
    now = datetime.now(UTC)
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    settle_ms = wishes.settle_ms
    if settle_ms is None:
        settle_ms = usual_settle_ms(database.connection, database.tables, pipeline=site.pipeline.name)
    plan = plan_of(segments=wishes.segments, part=wishes.part, sample=wishes.sample, settle_ms=settle_ms, seed=run_id)
    run = Run(run_id, plan.as_json())
    notebook.begin(run)
    return run


def usual_settle_ms(connection: DatabaseConnection, tables: Tables, *, pipeline: str) -> int:
    """Return twice what most of the last loads were behind their newest change."""
    rows = connection.rows(
        "SELECT TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 00:00:00', loaded_at) DIV 1000 - newest_changed_at_ms "
        f"FROM {as_template(tables.loads.quoted)} WHERE pipeline = %s AND newest_changed_at_ms IS NOT NULL "
        "ORDER BY loaded_at DESC LIMIT %s",
        (pipeline, _LOADS_LOOKED_AT),
    )
    lags = sorted(int(lag) for (lag,) in rows)
    if not lags:
        return _UNKNOWN_SETTLE_MS
    # Not the slowest: old changes that were redriven say nothing of the pipeline's lag.
    usual = lags[int((len(lags) - 1) * _SLOW_SHARE)]
    return min(_MOST_SETTLE_MS, max(_LEAST_SETTLE_MS, 2 * usual + _LEAST_SETTLE_MS))


@contextmanager
def _notebook_of(site: Site) -> Iterator[Notebook]:
    # A connection of its own: checkpoints are written while the pass over the target reads.
    with site.database() as database:
        yield Notebook(
            database.connection,
            database=database.name,
            pipeline=site.pipeline.name,
            target_table=site.pipeline.target_table,
        )


@contextmanager
def _target_of(site: Site) -> Iterator[Target]:
    with site.database() as database:
        yield Target(database.connection, site.pipeline, database.tables)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
