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
            "changes accepted by Firehose",
            "changes transformed",
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
        done = counts.transformed + counts.rejected
        values = (written, counts.changes, counts.accepted, done, counts.loaded.rows + counts.rejected)
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
        ("Data Firehose", "changes accepted", counts.accepted),
        ("", "records that carried them", counts.records),
        ("", "records refused, sent again", counts.refused),
        ("firehose-transformer", "changes transformed into rows", counts.transformed),
        ("", "changes failed, kept under failed/", counts.rejected),
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
    yield bill_line(outcome.counts)


def bill_line(counts: StageCounts) -> str:
    """Return what Firehose would bill, as the records came and the other way."""
    bill = counts.bill
    packed = counts.records < counts.accepted
    other = (
        f"{_megabytes(bill.one_by_one)} MB without packing" if packed else f"{_megabytes(bill.packed)} MB with packing"
    )
    return f"Firehose bills {_megabytes(bill.as_put)} MB, records rounded up to 5 KB ({other})"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.2f}"


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
        f"accounting: {counts.accepted:,} changes in {balance} {counts.loaded.rows - counts.loaded.rejected:,} loaded "
        f"+ {counts.loaded.rejected + counts.rejected:,} rejected"
    )
    if counts.rejected != proof.failed_records:
        yield f"{counts.rejected:,} changes failed on the way, and {proof.failed_records:,} lie under failed/"
    if not counts.nothing_lost:
        yield f"{counts.changes:,} changes were read off the stream, and {counts.accepted:,} reached Firehose"
    yield from proof.problem_lines()
