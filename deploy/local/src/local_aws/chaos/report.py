"""What a run of chaos shows: bars and faults while it runs, then the table of faults, the account and the verdict."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from local_aws.chaos.plan import RATES, Plan
from local_aws.chaos.run import Moment, Result
from local_aws.demo.report import bill_line
from local_aws.faults import FAULTS

_WIDE: Final = 140
_LINE_EVERY_SECONDS: Final = 30
_SENT_AGAIN: Final = "the stream-processor sends again what was not confirmed"
_DELIVERED_AGAIN: Final = "the stream delivers the batch again"
_VERSIONS: Final = "versions: the rows depend on the set of changes"
_LEDGER: Final = "the ledger: an object is loaded once"
_ASKED_AGAIN: Final = "Firehose asks again; what it gives up is redriven"
_EVENT_AGAIN: Final = "the event is delivered again, then redriven or swept"
_BEGUN_AGAIN: Final = "the transaction is rolled back and begun again"
_NEW_CONNECTION: Final = "rolled back, and begun again on a new connection"
SURVIVED_BY: Final[Mapping[str, str]] = {
    "firehose.throttle_call": _SENT_AGAIN,
    "firehose.refuse_record": _SENT_AGAIN,
    "firehose.lose_answer": f"sent again; {_VERSIONS}",
    "firehose.delay_delivery": _VERSIONS,
    "firehose.duplicate_object": _VERSIONS,
    "firehose.reorder_records": _VERSIONS,
    "stream-processor.crash_before": _DELIVERED_AGAIN,
    "stream-processor.crash_during": _DELIVERED_AGAIN,
    "stream-processor.lose_answer": f"{_DELIVERED_AGAIN}; versions",
    "firehose-transformer.crash_before": _ASKED_AGAIN,
    "firehose-transformer.crash_during": _ASKED_AGAIN,
    "firehose-transformer.lose_answer": _ASKED_AGAIN,
    "aurora-loader.crash_before": _EVENT_AGAIN,
    "aurora-loader.crash_during": "the server rolls back; the event is delivered again",
    "aurora-loader.lose_answer": f"delivered again; {_LEDGER}",
    "stream.duplicate_batch": _VERSIONS,
    "notification.lose": "sweep finds what the ledger lacks",
    "notification.duplicate": _LEDGER,
    "notification.delay": _VERSIONS,
    "loader.same_object": "one waits on the ledger's key, then sees the entry",
    "database.drop_connection": _NEW_CONNECTION,
    "database.kill_connection": _NEW_CONNECTION,
    "database.lock_timeout": _BEGUN_AGAIN,
    "database.lock_wait": "the loader waits",
    "database.deadlock": _BEGUN_AGAIN,
    "database.slow": "others wait, and do what they would have done",
    "database.read_only": _NEW_CONNECTION,
    "database.lose_commit": _NEW_CONNECTION,
    "database.lose_commit_answer": "begun again; the ledger says that it was loaded",
    "database.restart": _NEW_CONNECTION,
    "database.crash": "recovered from the redo log; begun again",
}


class Screen:
    """Bars and a line of faults on a terminal; a line now and then where there is none."""

    def __init__(self, console: Console, plan: Plan, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._next_line = clock() + _LINE_EVERY_SECONDS
        self._plan = plan
        self._progress = Progress(TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn())
        names = ("writes to DynamoDB", "changes read off the stream", "rows in loaded objects")
        self._tasks = [self._progress.add_task(name, total=plan.changes) for name in names]
        self._live = Live(console=console, refresh_per_second=2) if console.is_terminal else None

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bars as they are."""
        if self._live is not None:
            self._live.stop()

    def show(self, moment: Moment) -> None:
        """Show *moment*."""
        counts = moment.counts
        values = (
            (moment.written, None, None) if counts is None else (moment.written, counts.changes, counts.loaded.rows)
        )
        for task, value in zip(self._tasks, values, strict=True):
            if value is not None:
                # Doubles make more rows than there were changes.
                self._progress.update(task, completed=min(value, self._plan.changes))
        enough = sum(moment.faults.get(name, 0) >= self._plan.least for name in RATES)
        line = f"{sum(moment.faults.values()):,} faults; {enough} of {len(RATES)} kinds struck {self._plan.least} times"
        if self._live is not None:
            self._live.update(Group(Text(moment.phase), self._progress, Text(line)))
        elif self._clock() >= self._next_line:
            self._next_line = self._clock() + _LINE_EVERY_SECONDS
            self._console.print(f"{moment.phase}: {moment.written:,} written; {line}", markup=False)


def fault_table(result: Result, *, width: int) -> Table:
    """Return every fault: how often it struck, what survives it, and what it is where *width* has room for that."""
    wide = width >= _WIDE
    table = Table(title="Faults that struck, and what survived them", title_justify="left")
    table.add_column("fault", no_wrap=True)
    table.add_column("struck", justify="right")
    if wide:
        table.add_column("what happens")
    table.add_column("survived because")
    for name in RATES:
        struck = result.faults.get(name, 0)
        style = "red" if struck < result.plan.least else None
        what = (FAULTS[name],) if wide else ()
        table.add_row(name, f"{struck:,}", *what, SURVIVED_BY[name], style=style)
    return table


def summary(result: Result) -> Iterator[str]:
    """Yield what the stages did about it."""
    counts, plan = result.counts, result.plan
    yield (
        f"{result.written:,} writes in {result.seconds:.0f} s ({result.written / result.seconds:,.0f}/s), "
        f"{sum(result.faults.values()):,} faults of {len(RATES)} kinds, seed {plan.seed}"
    )
    yield (
        f"stream: {counts.changes:,} changes read, {counts.stream_retries:,} invocations repeated; Firehose: "
        f"{counts.accepted:,} changes in {counts.records:,} records accepted, {counts.refused:,} refused, "
        f"{counts.objects:,} objects"
    )
    yield bill_line(counts)
    loaded = counts.loaded
    yield (
        f"loader: {loaded.objects:,} objects loaded, {result.load_retries:,} loads begun again, "
        f"{counts.loads_failed:,} events given up; "
        f"rows: {loaded.applied:,} applied, {loaded.stale:,} stale, {loaded.deleted:,} deletes"
    )
    mended = ", ".join(f"{count:,} {what}" for what, count in sorted(result.mended.items()) if count)
    yield f"mended: {mended or 'nothing'}"


def verdict(result: Result) -> Iterator[str]:
    """Yield the account, the comparison, and what speaks against them."""
    accounts, proof = result.accounts, result.proof
    yield (
        f"accounts: {accounts.changes:,} changes in {'=' if accounts.balance else '≠'} {accounts.loaded:,} loaded "
        f"+ {accounts.rejected:,} rejected + {accounts.open:,} failed"
    )
    yield (
        f"ledger: {accounts.ledger_rows:,} rows accounted for {'=' if accounts.lines == accounts.ledger_rows else '≠'} "
        f"{accounts.lines:,} rows in the loaded objects"
    )
    yield (
        f"tables: {proof.equal_rows:,} of {proof.items:,} items have a row with equal values, "
        f"{proof.rejected_items:,} broken items lie under failed/"
    )
    wrong = {
        "changes lost": accounts.missing,
        "rows or failed records of changes that never were": accounts.unknown,
        "objects not in the ledger": accounts.unloaded_objects,
        "writes missing": max(0, result.plan.changes - result.written),
    }
    yield from (f"WRONG: {count:,} {what}" for what, count in wrong.items() if count)
    yield from (f"MISCOUNTED: {what}" for what in accounts.miscounted)
    yield from (
        f"TOO RARE: {name} struck {result.faults.get(name, 0)} times, {result.plan.least} were asked for"
        for name in result.too_rare
    )
    yield from proof.problem_lines()
