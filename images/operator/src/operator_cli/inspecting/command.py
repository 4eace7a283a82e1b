"""What `ddb2aurora diff-item` does with the services of a site, from its options to its result."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ddb2aurora.dialect import Field
from ddb2aurora.errors import HaltError, RejectError
from ddb2aurora.paths import ITEM
from operator_cli.aws import dynamodb_client, s3_client
from operator_cli.inspecting.diagnosis import diagnose
from operator_cli.inspecting.difference import Difference
from operator_cli.inspecting.history import History
from operator_cli.inspecting.traces import Trace, Traces
from operator_cli.inspecting.wanted import parse_key
from operator_cli.scanning.budget import ReadBudget
from operator_cli.site import Database, Setting, Site
from operator_cli.verifying.command import usual_settle_ms
from operator_cli.verifying.findings import Finding
from operator_cli.verifying.looking import Sight, look
from operator_cli.verifying.sides import Comparison, Key
from operator_cli.verifying.source import Source
from operator_cli.verifying.target import Target

_LOOK_EVERY_SECONDS = 1.0


class NoSuchRowError(HaltError):
    """No row can have the key of this item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The options of the command; *since_ms* is an age."""

    key_text: str | None
    assignments: tuple[str, ...]
    history: bool
    since_ms: int
    most_objects: int
    wait_seconds: float


def difference_of(site: Site, question: Question) -> Difference:
    """
    Return what is known of one item.

    Raises:
        KeyTextError: What was given is not a key of the table.
        NotComparableError: The pipeline writes an event log.
        RetryError: One of the services does not answer.
        HaltError: One of them cannot be used before someone acts.
    """
    comparison = Comparison(site.pipeline)
    source = Source(dynamodb_client(), site.pipeline, budget=ReadBudget(None))
    keys = parse_key(question.key_text, question.assignments, types=source.key_types)
    key = comparison.row_key(keys)
    if key is None:
        raise NoSuchRowError("the key fits no row: it is not what the key columns of the pipeline take")
    traces: tuple[Trace, ...] | None = None
    history: History | None = None
    with site.database() as database:
        target = Target(database.connection, site.pipeline, database.tables)
        sight = _look_patiently(key, source, target, comparison, question.wait_seconds)
        if question.history:
            history = _history(site, database, question, Traces(comparison, key))
            traces = history.find(now=datetime.now(UTC))
        settle_ms = usual_settle_ms(database.connection, database.tables, pipeline=site.pipeline.name)
    expected, rejection = _expected(sight, comparison)
    actual = sight.row.fields if sight.row else (None,) * len(site.pipeline.columns)
    return Difference(
        key={name: value for name, typed in keys.items() for value in typed.values()},
        key_hash=Finding(source.keys.text(keys), key, "different").key_hash,
        diagnosis=diagnose(sight, traces, rejection=rejection, now=datetime.now(UTC), settle_seconds=settle_ms / 1000),
        sight=sight,
        columns=tuple(
            (column.name, ours, theirs)
            for column, ours, theirs in zip(site.pipeline.columns, expected, actual, strict=True)
        ),
        history=traces,
        objects_read=history.objects_read if history else 0,
        is_cut_short=history.is_cut_short if history else False,
    )


def _expected(sight: Sight, comparison: Comparison) -> tuple[tuple[Field, ...], str]:
    """Return what the row must hold, and why it can hold nothing, if so."""
    nothing: tuple[Field, ...] = (None,) * len(comparison.pipeline.columns)
    if sight.item is None:
        return nothing, ""
    try:
        expected = comparison.expected(sight.item, sight.row)
    except RejectError as error:
        return nothing, str(error)
    if sight.row is None:
        # Nobody knows the facts about a change that is not there.
        columns = comparison.pipeline.columns
        expected = tuple(
            None if column.is_fact and column.source != ITEM else field
            for column, field in zip(columns, expected, strict=True)
        )
    return expected, ""


def _history(site: Site, database: Database, question: Question, traces: Traces) -> History:
    return History(
        s3_client(),
        bucket=site[Setting.BUCKET],
        pipeline=site.pipeline,
        traces=traces,
        connection=database.connection,
        tables=database.tables,
        since=datetime.now(UTC) - timedelta(milliseconds=question.since_ms),
        most_objects=question.most_objects,
    )


def _look_patiently(key: Key, source: Source, target: Target, comparison: Comparison, wait_seconds: float) -> Sight:
    deadline = time.monotonic() + wait_seconds
    while True:
        sight = look([key], source=source, target=target, comparison=comparison)[key]
        if sight.verdict.kind == "equal" or time.monotonic() >= deadline:
            return sight
        time.sleep(_LOOK_EVERY_SECONDS)
