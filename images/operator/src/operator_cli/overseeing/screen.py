"""Show how a pipeline is on one screen, of 80 columns and more."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ddb2aurora.pipeline import Pipeline
from operator_cli.overseeing.attention import Concern
from operator_cli.overseeing.cloudwatch import FRESHNESS, ITERATOR_AGE
from operator_cli.overseeing.figures import ago, many, size, span
from operator_cli.overseeing.readings import Kept, Queue, Readings, Sums, Watched

if TYPE_CHECKING:
    from rich.console import RenderableType

_NOTHING = Text("–", style="dim")


def screen(readings: Readings, found: Sequence[Concern], *, pipeline: Pipeline) -> Iterator["RenderableType"]:
    """Yield the parts of the screen, from top to bottom."""
    title = Text(pipeline.name, style="bold")
    title.append(
        f"  {pipeline.source_table} → {pipeline.target_database}.{pipeline.target_table}, {pipeline.mode}", style="dim"
    )
    yield title
    window = span(readings.window_seconds * 1000)
    yield Text(f"{_instant(readings.at_ms)} UTC, the last {window}", style="dim")
    yield ""
    yield _stages(readings)
    yield ""
    yield _totals(readings)
    yield ""
    yield from _attention(found)


def _stages(readings: Readings) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("stage", "last seen", "passed", "lag"):
        table.add_column(name, no_wrap=name != "passed")
    table.add_column("trouble", style="red")
    for row in _rows(readings):
        table.add_row(*row)
    return table


def _rows(readings: Readings) -> Iterator[tuple["str | Text", ...]]:
    watched = readings.watched if isinstance(readings.watched, Watched) else Watched({}, {}, {}, ())
    sums, maxima = watched.sums, watched.maxima
    failed = dict(readings.failed)
    by_stage = [(kind, failed.pop(kind)) for kind in ("oversized", "malformed") if kind in failed]
    yield (
        "stream-processor",
        _ago(watched.seen_ms.get("ChangesReceived"), readings),
        _sum(sums.get("ChangesReceived"), "changes") or _NOTHING,
        _lag(maxima.get(ITERATOR_AGE)),
        _join(
            _sum(sums.get("ChangesFailed"), "failed"),
            _sum(sums.get("RecordsRefused"), "refused"),
            *(_kept(kept, kind) for kind, kept in by_stage),
            _kept(readings.batches, "given up"),
        ),
    )
    freshness = maxima.get(FRESHNESS)
    yield (
        "delivery stream",
        _ago(readings.backup_ms, readings),
        _NOTHING,
        _lag(None if freshness is None else freshness * 1000),
        _join(*(_kept(kept, kind) for kind, kept in failed.items() if kind != "processing-failed")),
    )
    yield (
        "firehose-transformer",
        _ago(readings.waiting.newest_ms, readings),
        _sum(sums.get("RecordsTransformed"), "rows") or _NOTHING,
        _NOTHING,
        _join(_kept(failed.get("processing-failed"), "rejected")),
    )
    ledger = readings.tables.ledger
    rate = ledger.recent.rows / readings.window_seconds
    passed = f"{many(ledger.recent.rows, 'row')}, {rate:,.1f}/s"
    rejected = sum(readings.tables.rejects.values())
    waiting = readings.waiting
    yield (
        "aurora-loader",
        _ago(ledger.last_loaded_ms, readings),
        passed if ledger.recent.objects else _NOTHING,
        _lag(ledger.recent_lag_ms),
        _join(
            f"{waiting.waiting:,} waiting" if waiting.waiting else "",
            f"{rejected:,} rejected" if rejected else "",
            _sum(sums.get("ObjectsFailed"), "failed tries"),
            _queue(readings.queue),
        ),
    )
    beat = readings.tables.heartbeat
    yield (
        "heartbeat",
        _NOTHING if beat is None else _ago(beat.loaded_at_ms, readings),
        _NOTHING,
        _lag(None if beat is None else beat.lag_ms),
        "none has ever landed" if beat is None else "",
    )


def _totals(readings: Readings) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    tables, ledger = readings.tables, readings.tables.ledger
    since = f"since {_instant(readings.at_ms - readings.window_seconds * 1000)}"
    _add_sums(table, "loaded", ledger.recent, when=f" {since}")
    if ledger.ever is not None:
        _add_sums(table, "loaded ever", ledger.ever)
    if ledger.recent_newest_change_ms is not None:
        newest = ago(ledger.recent_newest_change_ms, now_ms=readings.at_ms)
        table.add_row("newest change", f"{newest}, of what was loaded {since}")
    for reason, count in list(tables.rejects.items())[:5]:
        table.add_row("rejects", f"{count:,} {reason}")
    if tables.tombstones is not None:
        horizon = f"horizon {_instant(tables.horizon_ms)}" if tables.horizon_ms else "nothing purged yet"
        table.add_row("tombstones", f"{tables.tombstones}, {horizon}")
    if isinstance(readings.queue, Queue):
        events = f"{readings.queue.waiting:,} waiting, {readings.queue.in_flight:,} being worked on"
        table.add_row("failure queue", events)
    else:
        table.add_row("failure queue", Text(readings.queue, style="dim"))
    if isinstance(readings.watched, Watched):
        table.add_row("CloudWatch", f"alarms raised: {len(readings.watched.alarms):,}")
    else:
        table.add_row("CloudWatch", Text(readings.watched, style="dim"))
    return table


def _add_sums(table: Table, name: str, sums: Sums, *, when: str = "") -> None:
    table.add_row(name, f"{many(sums.objects, 'object')} ({size(sums.bytes)}), {many(sums.rows, 'row')}{when}:")
    table.add_row(
        "", f"{sums.applied:,} applied, {sums.stale:,} stale, {sums.deleted:,} deleted, {sums.rejected:,} rejected"
    )


def _attention(found: Sequence[Concern]) -> Iterator["RenderableType"]:
    if not found:
        yield Text("all is well", style="bold green")
        return
    yield Text("needs attention", style="bold red")
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(style="red")
    table.add_column()
    table.add_column(style="bold", no_wrap=True)
    for concern in found:
        table.add_row("✗", concern.text, concern.first)
    yield table


def _ago(moment_ms: int | None, readings: Readings) -> "str | Text":
    return _NOTHING if moment_ms is None else ago(moment_ms, now_ms=readings.at_ms)


def _lag(lag_ms: float | None) -> "str | Text":
    return _NOTHING if lag_ms is None else span(lag_ms)


def _sum(number: float | None, noun: str) -> "str":
    return f"{int(number):,} {noun}" if number else ""


def _kept(kept: Kept | None, kind: str) -> str:
    return "" if kept is None else f"{kept.objects} {kind}"


def _queue(queue: Queue | str) -> str:
    number = queue.waiting + queue.in_flight if isinstance(queue, Queue) else 0
    return f"{many(number, 'event')} given up" if number else ""


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _instant(moment_ms: int | None) -> str:
    return datetime.fromtimestamp((moment_ms or 0) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
