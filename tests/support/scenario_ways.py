"""The ways of a scenario to its rows: over the plain-dict model, and over the loader into a real database."""
# ruff: noqa: S608 - tests name their own tables

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loader_fixtures import FrozenTime
from scenario_values import field_row, stored_row, written_row

from aurora_loader.load import Loader
from aurora_loader.session import Session
from aurora_loader.sources import Source
from ddb2aurora.database.connection import DatabaseConnection
from ddb2aurora.database.ledger import make_object_ref
from ddb2aurora.database.migrate import migrate
from ddb2aurora.database.server import Server
from ddb2aurora.database.settings import DatabaseSettings
from ddb2aurora.dialect import Row, decode_row, encode_row
from ddb2aurora.envelope import decode_change
from ddb2aurora.errors import HaltError, RejectError, RetryError
from ddb2aurora.mapping import Mapper
from ddb2aurora.model import rows_after, stamps_after
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.sql import DELETED_AT_COLUMN, quote_name
from firehose_transformer.row_lines import RowLines
from firehose_transformer.transform import transform
from local_aws.services.ministack import REGION
from scenarios import ObjectPlan, Scenario
from stream_processor.changes import change_from, outgoing_from
from stream_processor.delivery import records_of

_Key = tuple[Any, ...]


@dataclass(frozen=True)
class Result:
    """What came of a case; everything is in an order that does not depend on the way."""

    rows: list[tuple[Any, ...]]
    deleted: list[tuple[_Key, int | None]]
    rejects: list[tuple[Any, ...]]
    """(change, reason, pointer) of what made no row, (object, line, reason) of what the loader refused."""
    halts: list[tuple[int, str]]
    counts: Mapping[str, int] | None = None


class Transformed:
    """The changes of a case on their way through the code of both first stages: rows, and what was refused."""

    def __init__(self, case: Scenario, pipeline: Pipeline) -> None:
        mapper = Mapper(pipeline)
        self.case = case
        self.pipeline = pipeline
        self.rejects: list[tuple[int, str, str]] = []
        self._lines: dict[int, bytes] = {}
        for number, record in case.stream_records():
            try:
                row = mapper.row(decode_change(outgoing_from(change_from(record), pipeline).data))
            except RejectError as error:
                self.rejects.append((number, str(error.reason), error.pointer))
            else:
                self._lines[number] = b"" if row is None else encode_row(row)

    @property
    def all_lines(self) -> list[bytes]:
        """The line of every change that has one, in the order of the case."""
        return [line for line in self._lines.values() if line]

    def lines(self, planned: ObjectPlan) -> list[bytes]:
        """Return the lines of an object, each with its newline."""
        lines = [line for number in planned.changes if (line := self._lines.get(number))]
        for raw in planned.lines:
            text = raw if isinstance(raw, bytes) else raw.replace("{shape}", self.pipeline.shape).encode()
            lines.append(text + b"\n")
        return lines

    def objects(self) -> Iterator[tuple[ObjectPlan, str, bytes]]:
        """Yield each object that arrives, its key and its content."""
        for planned in self.case.objects:
            first = planned if planned.again is None else self.case.objects[planned.again - 1]
            content = b"".join(self.lines(first))
            yield planned, self._key(first), content if first.last_newline else content.removesuffix(b"\n")

    def fresh_objects(self) -> Iterator[tuple[ObjectPlan, str]]:
        """Yield each object once, and its key."""
        return ((planned, self._key(planned)) for planned in self.case.objects if planned.again is None)

    def _key(self, planned: ObjectPlan) -> str:
        return f"processed/{self.pipeline.name}/{self.pipeline.target_table}/2026/01/05/10/{planned.name}"


def through_packed_records(case: Scenario, pipeline: Pipeline) -> tuple[list[bytes], list[tuple[str, str]]]:
    """Return the lines that the changes of a case become when they share Firehose records, and why others fail."""
    outgoing, failed = [], []
    for _, record in case.stream_records():
        try:
            outgoing.append(outgoing_from(change_from(record), pipeline))
        except RejectError as error:
            failed.append((str(error.reason), error.pointer))
    records = [
        {"recordId": str(number), "data": b64encode(record.data).decode()}
        for number, record in enumerate(records_of(outgoing, packing=True))
    ]
    done = transform({"records": records}, RowLines(pipeline))
    lines = [line for record in done.records for line in b64decode(record["data"]).splitlines(keepends=True)]
    failed += [(str(why.error.reason), why.error.pointer) for found in done.others.values() for why in found.rejections]
    return lines, failed


def expected(case: Scenario, pipeline: Pipeline) -> Result:
    """Return what the case says must come of it."""
    keys = [column.name for column in pipeline.key_columns]
    rejects = [
        (found["change"], found["reason"], found.get("pointer", ""))
        if "change" in found
        else (found["object"], found["line"], found["reason"])
        for found in case.rejects
    ]
    return Result(
        rows=_sorted(written_row(row, pipeline) for row in case.rows),
        deleted=_sorted(
            (tuple(found["key"][name] for name in keys), case.changes[found["change"] - 1].ms) for found in case.deleted
        ),
        rejects=_sorted(rejects),
        halts=[(found["object"], found["error"]) for found in case.halts],
        counts=case.counts,
    )


def through_the_model(case: Scenario, pipeline: Pipeline) -> Result:
    """Return what the model says; what only the database refuses is as the case has it."""
    transformed = Transformed(case, pipeline)
    halted = {found["object"] for found in case.halts}
    refused = {(found["object"], found["line"]): found["reason"] for found in case.rejects if "object" in found}
    rows: list[Row] = []
    for planned in case.objects:
        if planned.number in halted or planned.again is not None:
            continue
        lines = enumerate(transformed.lines(planned), start=1)
        rows += [decode_row(line) for number, line in lines if (planned.number, number) not in refused]
    keys = [pipeline.columns.index(column) for column in pipeline.key_columns]
    standing = rows_after(rows, pipeline=pipeline)
    stamps = {} if pipeline.mode == "append" else stamps_after(rows, pipeline=pipeline)
    return Result(
        rows=_sorted(field_row(fields, pipeline) for fields in standing.values()),
        deleted=_sorted((_key(field_row(standing[key], pipeline), keys), at_ms) for key, at_ms in stamps.items()),
        rejects=_sorted([*transformed.rejects, *((*place, reason) for place, reason in refused.items())]),
        halts=[(found["object"], found["error"]) for found in case.halts],
        counts=case.counts,
    )


class Target:
    """The tables of one case in a database, and what they hold."""

    def __init__(self, case: Scenario, pipeline: Pipeline, connection: DatabaseConnection, server: Server) -> None:
        self.case = case
        self.pipeline = pipeline
        self._connection = connection
        self._database = quote_name(pipeline.target_database)
        self._table = quote_name(pipeline.target_database, pipeline.target_table)
        migrate(connection, pipeline, server=server, database=pipeline.target_database)
        connection.run(f"USE {self._database}")
        for statement in case.set_up:
            connection.run(statement.replace("{table}", quote_name(pipeline.target_table)))

    def rows(self) -> list[tuple[Any, ...]]:
        return _sorted(stored_row(row, self.pipeline) for row in self._rows(f"SELECT * FROM {self._table}"))

    def deleted(self) -> list[tuple[_Key, int | None]]:
        if not self.pipeline.keeps_deleted:
            return []
        stamped = self._rows(
            f"SELECT t.*, CAST(ROUND(1000 * UNIX_TIMESTAMP({DELETED_AT_COLUMN})) AS SIGNED) FROM {self._table} AS t "
            f"WHERE {DELETED_AT_COLUMN} IS NOT NULL"
        )
        keys = [self.pipeline.columns.index(column) for column in self.pipeline.key_columns]
        return _sorted((_key(stored_row(row, self.pipeline), keys), at_ms) for *row, at_ms in stamped)

    def refused(self, transformed: Transformed) -> list[tuple[int, int, str]]:
        """Return the object, the line and the reason of each reject of the loader, which keeps the line as it was."""
        contents = {key: (planned, transformed.lines(planned)) for planned, key in transformed.fresh_objects()}
        query = f"SELECT object_key, line_number, reason, line FROM {self._database}._ddb2aurora_rejects"
        refused = []
        for key, number, reason, line in self._rows(f"{query} WHERE pipeline = %s", self.pipeline.name):
            planned, lines = contents[key]
            kept = line == lines[number - 1].removesuffix(b"\n")
            refused.append((planned.number, number, reason if kept else f"{reason}, and the line is not as it was"))
        return refused

    def counts(self) -> dict[str, int]:
        [found] = self._rows(
            "SELECT COUNT(*), SUM(rows_in_file), SUM(applied), SUM(stale), SUM(deleted), SUM(rejected) "
            f"FROM {self._database}._ddb2aurora_loads WHERE pipeline = %s",
            self.pipeline.name,
        )
        names = ("objects", "rows", "applied", "stale", "deleted", "rejected")
        return {name: int(count or 0) for name, count in zip(names, found, strict=True)}

    def result(
        self,
        rejects: Iterable[tuple[int, str, str]],
        *,
        transformed: Transformed,
        halts: Sequence[tuple[int, str]],
    ) -> Result:
        """Return what stands in the database, and what was rejected before it."""
        return Result(
            rows=self.rows(),
            deleted=self.deleted(),
            rejects=_sorted([*rejects, *self.refused(transformed)]),
            halts=list(halts),
            counts=self.counts() if self.case.counts is not None else None,
        )

    def _rows(self, query: str, *arguments: object) -> tuple[tuple[Any, ...], ...]:
        return self._connection.rows(query, arguments)


def through_the_database(target: Target, source: Source, settings: DatabaseSettings, *, s3: Any, bucket: str) -> Result:
    """Load the objects of the case one after the other by the loader's own code."""
    case, pipeline = target.case, target.pipeline
    transformed = Transformed(case, pipeline)
    session = Session(settings, pipeline=pipeline, source=source)
    loader = Loader(pipeline, session=session, source=source, on_retry=lambda _, why: _fail(why))
    halts: list[tuple[int, str]] = []
    try:
        for planned, key, content in transformed.objects():
            etag = s3.put_object(Bucket=bucket, Key=key, Body=content)["ETag"]
            ref = make_object_ref(bucket, key, etag=etag, size=len(content), region=REGION)
            try:
                outcome = loader.load(ref, time=FrozenTime())
            except (HaltError, RetryError) as error:
                halts.append((planned.number, type(error).__name__))
            else:
                assert outcome.repeated == (planned.again is not None)
    finally:
        session.drop()
    return target.result(transformed.rejects, transformed=transformed, halts=halts)


def _fail(why: Exception) -> None:
    raise AssertionError("nothing has to be tried again here") from why


def _key(row: tuple[Any, ...], keys: Sequence[int]) -> _Key:
    return tuple(row[position] for position in keys)


def _sorted(found: Iterable[Any]) -> list[Any]:
    return sorted(found, key=repr)
