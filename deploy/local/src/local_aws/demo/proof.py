"""
The proof at the end: every live item has its row with equal values, every deleted one has none, and every item that the
pipeline must reject lies under `failed/` with its reason.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ddb2aurora.database.values import field_of
from ddb2aurora.envelope import Change, decode_change, lines_of
from ddb2aurora.errors import RejectError
from ddb2aurora.failed import decode_failed
from ddb2aurora.mapping import Mapper
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import CHANGED_AT_COLUMN, quote_name
from operator_cli.scanning.table import as_in_a_stream
from operator_cli.verifying.sides import Comparison, Key, TargetRow

if TYPE_CHECKING:
    from pymysql.connections import Connection

    from local_aws.stack.clients import Clients

_MOST_PROBLEMS_SHOWN = 10


@dataclass(slots=True)
class Proof:
    """What was compared and what was found wrong."""

    items: int = 0
    equal_rows: int = 0
    rejected_items: int = 0
    failed_records: int = 0
    """Changes under `failed/`, those of packed records one by one."""
    reasons: Counter[str] = field(default_factory=Counter)
    failed_but_fit: int = 0
    """Failed changes that the pipeline takes: a stage was at fault, and they are there to be replayed."""
    rejected_with_row: int = 0
    """Rejected items with a row: of an earlier state, since a row keeps its last good one."""
    problems: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether source and target agree."""
        return not self.problems

    def problem_lines(self) -> Iterator[str]:
        """Yield the problems, the first few in full."""
        yield from self.problems[:_MOST_PROBLEMS_SHOWN]
        if len(self.problems) > _MOST_PROBLEMS_SHOWN:
            yield f"… and {len(self.problems) - _MOST_PROBLEMS_SHOWN} more"


def prove(pipeline: Pipeline, *, clients: "Clients", bucket: str, connection: "Connection[Any]") -> Proof:
    """Compare the whole source with the whole target and with what lies under `failed/`."""
    proof = Proof()
    mapper = Mapper(pipeline)
    comparison = Comparison(pipeline)
    rows = _rows(pipeline, connection)
    failed = _failed_reasons(pipeline, clients, bucket, mapper, proof)
    for item in _items(pipeline, clients):
        proof.items += 1
        keys = {name: item[name] for name in pipeline.source_key}
        found = rows.pop(comparison.row_key(keys), None)
        _compare(item, keys, found, comparison=comparison, failed=failed, proof=proof)
    proof.problems.extend(f"a row without an item: {_shown(key)}" for key in rows)
    return proof


def _items(pipeline: Pipeline, clients: "Clients") -> Iterator[dict[str, Any]]:
    pages = clients.dynamodb.get_paginator("scan").paginate(TableName=pipeline.source_table, ConsistentRead=True)
    for page in pages:
        for item in page["Items"]:
            yield {name: as_in_a_stream(attribute) for name, attribute in item.items()}


def _rows(pipeline: Pipeline, connection: "Connection[Any]") -> dict[Key | None, TargetRow]:
    """Return all rows by key: the time of their change, and their fields."""
    names = [quote_name(CHANGED_AT_COLUMN), *(quote_name(column.name) for column in pipeline.columns)]
    table = quote_name(pipeline.target_database, pipeline.target_table)
    positions = [pipeline.columns.index(column) for column in pipeline.key_columns]
    found: dict[Key | None, TargetRow] = {}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(names)} FROM {table}")  # noqa: S608 - names are quoted
        for changed_at_ms, *values in cursor:
            fields = tuple(field_of(value, column.type) for value, column in zip(values, pipeline.columns, strict=True))
            found[tuple(fields[position] for position in positions)] = TargetRow(
                0, changed_at_ms, is_stamped=False, fields=fields
            )
    return found


def _failed_reasons(
    pipeline: Pipeline, clients: "Clients", bucket: str, mapper: Mapper, proof: Proof
) -> Mapping[str, set[str]]:
    """Return the reasons of all failed changes by the change's keys; today's mapping tells them."""
    reasons: dict[str, set[str]] = defaultdict(set)
    pages = clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"failed/{pipeline.name}/")
    for page in pages:
        for entry in page.get("Contents", []):
            content = clients.s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            for code, line in _failed_lines(content):
                proof.failed_records += 1
                reason, change = _why(line, mapper)
                proof.reasons[reason or code] += 1
                proof.failed_but_fit += reason is None
                if change is not None and reason is not None:
                    reasons[_shown(change.keys)].add(reason)
    return reasons


def _failed_lines(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the code and the line of each change in an object under `failed/`."""
    for record in decode_failed(content):
        yield from ((record.error_code, line) for line in lines_of(record.raw_data))


def _why(line: bytes, mapper: Mapper) -> tuple[str | None, Change | None]:
    """Return why the pipeline rejects the change in *line*, None if it takes it, and the change itself."""
    change = None
    try:
        change = decode_change(line)
        mapper.row(change)
    except RejectError as error:
        return error.reason, change
    return None, change


def _compare(
    item: dict[str, Any],
    keys: dict[str, Any],
    found: TargetRow | None,
    *,
    comparison: Comparison,
    failed: Mapping[str, set[str]],
    proof: Proof,
) -> None:
    # Facts about the last change are not in the item: they are taken from the row.
    verdict = comparison.judge(item, found)
    if verdict.kind == "unloadable":
        proof.rejected_items += 1
        proof.rejected_with_row += found is not None
        if verdict.reason not in failed.get(_shown(keys), set()):
            proof.problems.append(f"rejected for {verdict.reason}, but not under failed/: {_shown(keys)}")
    elif verdict.kind == "missing":
        proof.problems.append(f"an item without a row: {_shown(keys)}")
    elif verdict.kind == "different":
        proof.problems.append(f"different in {', '.join(verdict.columns)}: {_shown(keys)}")
    else:
        proof.equal_rows += 1


def _shown(key: object) -> str:
    """Return *key* as a text that is the same for equal keys, whatever order their attributes are in."""
    return json.dumps(key, sort_keys=True, default=repr)
