"""Judge what was read: what needs somebody's attention, and what to do first. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from operator_cli.overseeing.figures import ago, many, span
from operator_cli.overseeing.readings import Queue, Readings, Watched


class Concern(NamedTuple):
    """Something that needs attention: *what* it is, in a word for machines and in a *text*, and the *first* command."""

    what: str
    text: str
    first: str


def concerns(readings: Readings, *, heartbeat_within_ms: int) -> Iterator[Concern]:
    """Yield what needs attention; a heartbeat that is older than *heartbeat_within_ms* is a pipeline that is dead."""
    tables = readings.tables
    if isinstance(readings.watched, Watched):
        for alarm in readings.watched.alarms:
            since = ago(alarm.since_ms, now_ms=readings.at_ms)
            yield Concern("alarm", f"the alarm {alarm.name} was raised {since}", "docs/runbook.md")
    if tables.heartbeat is not None:
        age_ms = readings.at_ms - tables.heartbeat.sent_at_ms
        if age_ms > heartbeat_within_ms:
            text = f"the newest heartbeat that has landed was sent {span(age_ms)} ago"
            yield Concern("heartbeat", text, "ddb2aurora heartbeat --wait 2m")
    waiting = readings.waiting
    if waiting.waiting and waiting.oldest_waiting_ms is not None:
        since = ago(waiting.oldest_waiting_ms, now_ms=readings.at_ms)
        text = f"{many(waiting.waiting, 'object')} under processed/ not loaded, the oldest {since}"
        yield Concern("waiting", text, "ddb2aurora sweep")
    if isinstance(readings.queue, Queue) and readings.queue.waiting + readings.queue.in_flight:
        number = readings.queue.waiting + readings.queue.in_flight
        text = f"{many(number, 'event')} of objects that the loader failed for good"
        yield Concern("failed_events", text, "ddb2aurora redrive --explain")
    for kind, kept in readings.failed.items():
        newest = ago(kept.newest_ms, now_ms=readings.at_ms)
        text = f"{kept.objects} {_objects(kept.objects.number)} under failed/…/{kind}, the newest {newest}"
        yield Concern("failed", text, "ddb2aurora redrive --explain")
    if readings.batches is not None:
        batches = readings.batches.objects
        text = f"{batches} {'batch' if batches.number == 1 else 'batches'} of the stream given up"
        yield Concern("given_up_batches", text, "ddb2aurora redrive --explain")
    if rejected := sum(tables.rejects.values()):
        text = f"{many(rejected, 'row')} refused by the database, in _ddb2aurora_rejects"
        yield Concern("rejects", text, "ddb2aurora redrive --explain")


def _objects(number: int) -> str:
    return "object" if number == 1 else "objects"
