"""What the demonstration shows: progress while it runs, then a table, a few rows, and the verdict."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import quote_name
from local_aws.demo.counts import StageCounts
from local_aws.demo.proof import Proof
from local_aws.demo.run import Outcome

if TYPE_CHECKING:
    from pymysql.connections import Connection


class StageProgress:
    """A bar a stage on a terminal; nothing where there is none."""

    def __init__(self, console: Console, *, operations: int) -> None:
        """Show how many of *operations* each stage has done."""
        self._progress = Progress(
            TextColumn("{task.description:<34}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        names = (
            "items written to DynamoDB",
            "changes read off the stream",
            "records accepted by Firehose",
            "records transformed",
            "rows loaded into MySQL",
        )
        self._tasks: list[TaskID] = [self._progress.add_task(name, total=operations) for name in names]

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bars as they are."""
        self._progress.stop()

    def update(self, written: int, counts: StageCounts) -> None:
        """Show *counts*."""
        done = counts.transformed + counts.failed
        values = (written, counts.changes, counts.records, done, counts.loaded.rows + counts.failed)
        for task, value in zip(self._tasks, values, strict=True):
            self._progress.update(task, completed=value)


def stage_table(outcome: Outcome) -> Table:
    """Return the counts of every stage."""
    counts, loaded = outcome.counts, outcome.counts.loaded
    table = Table(title="What happened, stage by stage", title_justify="left")
    table.add_column("stage")
    table.add_column("what")
    table.add_column("count", justify="right")
    rows = (
        ("DynamoDB stream", "changes", counts.changes),
        ("stream-processor", "batches repeated in whole or part", counts.stream_retries),
        ("Data Firehose", "records accepted", counts.records),
        ("", "records refused, sent again", counts.refused),
        ("firehose-transformer", "records transformed into rows", counts.transformed),
        ("", "records failed, kept under failed/", counts.failed),
        ("S3", "objects under processed/", counts.objects),
        ("aurora-loader", "objects loaded", loaded.objects),
        ("", "rows applied (inserted or updated)", loaded.applied),
        ("", "rows stale (a newer change won)", loaded.stale),
        ("", "rows deleted", loaded.deleted),
        ("", "rows rejected by the database", loaded.rejected),
    )
    for stage, what, count in rows:
        table.add_row(stage, what, f"{count:,}")
    return table


def sample_table(pipeline: Pipeline, connection: "Connection[Any]", *, rows: int) -> Table:
    """Return a few rows as `SELECT *` gives them, one row a column, which fits a terminal of 80 characters."""
    name = quote_name(pipeline.target_database, pipeline.target_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {name} LIMIT %s", (rows,))  # noqa: S608 - the name is quoted
        names = [column[0] for column in cursor.description or ()]
        found = cursor.fetchall()
    shown = f"{pipeline.target_database}.{pipeline.target_table}"
    table = Table("column", *(f"row {number}" for number in range(1, len(found) + 1)), title_justify="left")
    table.title = f"the first {rows} rows of {shown}"
    for position, column in enumerate(names):
        table.add_row(column, *("NULL" if row[position] is None else str(row[position]) for row in found))
    return table


def summary(outcome: Outcome) -> Iterator[str]:
    """Yield the figures of the run."""
    rate = outcome.counts.changes / outcome.seconds
    yield f"{outcome.counts.changes:,} changes in {outcome.seconds:.1f} s: {rate:,.0f} changes/s through the whole path"
    p50, p99 = outcome.freshness.percentile(0.50), outcome.freshness.percentile(0.99)
    if p50 is not None and p99 is not None:
        yield (
            f"freshness (item written → row visible), {outcome.freshness.samples} items: "
            f"p50 {p50:.2f} s, p99 {p99:.2f} s"
        )


def verdict(proof: Proof, counts: StageCounts) -> Iterator[str]:
    """Yield the verdict, and what speaks against it."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(proof.reasons.items()))
    yield f"{proof.equal_rows:,} of {proof.items:,} items have a row with equal values"
    rejected = proof.rejected_items - proof.rejected_with_row
    yield f"{rejected:,} broken items have none and lie under failed/"
    if reasons:
        yield f"reasons under failed/: {reasons}"
    if proof.rejected_with_row:
        yield f"{proof.rejected_with_row:,} broken items have a row"
    if proof.failed_but_fit:
        yield f"{proof.failed_but_fit:,} changes lie under failed/ although the pipeline takes them"
    balance = "=" if counts.accounted else "≠"
    yield (
        f"accounting: {counts.records:,} records in {balance} {counts.loaded.rows - counts.loaded.rejected:,} loaded "
        f"+ {counts.loaded.rejected + counts.failed:,} rejected"
    )
    if not counts.nothing_lost:
        yield f"{counts.changes:,} changes were read off the stream, and {counts.records:,} reached Firehose"
    yield from proof.problem_lines()
