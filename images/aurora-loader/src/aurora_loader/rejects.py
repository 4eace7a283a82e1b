"""
The slow path: find the rows that the database refuses, keep them with a reason, and load the rest of the file.

The object is loaded once more, as lines; so the way that Aurora reads S3 itself serves here too. Lines are applied in
chunks, and a chunk that is refused is halved until a single line is left.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import pymysql

from aurora_loader.heartbeats import NONE_LANDED, Landed, land_heartbeats
from aurora_loader.staging import Staging, check_age
from ddb2aurora.database.applying.filling import RowsRefusedError
from ddb2aurora.database.applying.refusals import Refusal, refusal_of
from ddb2aurora.database.applying.staged import Applied, Statements
from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.errors import Verdict, error_number, verdict_on
from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.database.schema import Tables
from ddb2aurora.dialect import MalformedLineError, Row, decode_row
from ddb2aurora.errors import HaltError
from ddb2aurora.pipeline import Pipeline

if TYPE_CHECKING:
    from aurora_loader.translation import Translation

_CHUNK_LINES: Final = 500
# A statement has to fit into max_allowed_packet, at least 16 MiB by default, after quoting.
_CHUNK_BYTES: Final = 2**21

_MALFORMED: Final = "malformed_line"


class TooManyRejectsError(HaltError):
    """More of an object is refused than the pipeline allows; nothing of it was loaded."""


class _Line(NamedTuple):
    number: int
    content: bytes


@dataclass
class SlowResult:
    """What came of an object that was loaded line by line."""

    applied: Applied = field(default_factory=Applied)
    rows: int = 0
    rejected: int = 0
    newest_changed_at_ms: int | None = None
    landed: Landed = NONE_LANDED


class LineByLine:
    """The slow path of one object, inside its transaction."""

    def __init__(
        self,
        connection: DatabaseConnection,
        ref: ObjectRef,
        *,
        pipeline: Pipeline,
        tables: Tables,
        staging: Staging,
        statements: Statements,
        horizon_ms: int,
    ) -> None:
        """Load *ref*, whose lines stand in the table of lines, over *connection*."""
        self._connection = connection
        self._ref = ref
        self._pipeline = pipeline
        self._tables = tables
        self._staging = staging
        self._statements = statements
        self._horizon_ms = horizon_ms
        self._result = SlowResult()
        self._translations: dict[str, Translation] = {}

    def load(self, rows: int) -> SlowResult:
        """
        Apply all *rows* lines and return what came of them.

        Raises:
            UnknownShapeError: A row was written for columns that this loader does not know yet.
            ShapeError: A row was written for columns that cannot be carried over into those of today.
            BeyondHorizonError: A row is older than the deletes that the target remembers.
            TooManyRejectsError: The share of rejects is above what the pipeline allows.
            pymysql.err.Error: The transaction cannot go on.
        """
        self._result.rows = rows
        for lines in self._chunks():
            decoded: list[tuple[_Line, Row]] = []
            for line in lines:
                row = self._row(line)
                if row is not None:
                    decoded.append((line, row))
            self._apply(decoded)
        return self._result

    def _row(self, line: _Line) -> Row | None:
        """Return the row in *line* with today's fields; None after it was rejected."""
        try:
            row = decode_row(line.content)
        except MalformedLineError:
            self._reject(line, Refusal(0, _MALFORMED))
            return None
        written = self._translations.get(row.shape)
        if written is None:
            written = self._staging.translation(self._connection, row.shape, ref=self._ref)
            self._translations[row.shape] = written
        if len(row.fields) != len(written.into):
            self._reject(line, Refusal(0, _MALFORMED))
            return None
        # The table may allow NULL where the pipeline file does not; a delete leaves values behind only in a log.
        if written.unfilled and (row.operation == "U" or (row.operation != "H" and self._pipeline.mode == "append")):
            self._reject(line, Refusal(0, f"null_not_allowed in column {written.unfilled[0]}"))
            return None
        return written.row(row, shape=self._pipeline.shape)

    def _chunks(self) -> Iterator[list[_Line]]:
        table = as_template(self._tables.lines.quoted)
        last = 0
        while True:
            sizes = self._connection.rows(
                f"SELECT `line_number`, OCTET_LENGTH(`line`) FROM {table} "  # noqa: S608 - our names
                "WHERE `line_number` > %s ORDER BY `line_number` LIMIT %s",
                (last, _CHUNK_LINES),
            )
            if not sizes:
                return
            first, total = last, 0
            for number, size in sizes:
                if total and total + size > _CHUNK_BYTES:
                    break
                last, total = number, total + size
            found = self._connection.rows(
                f"SELECT `line_number`, `line` FROM {table} "  # noqa: S608 - our names
                "WHERE `line_number` > %s AND `line_number` <= %s ORDER BY `line_number`",
                (first, last),
            )
            yield [_Line(number, content) for number, content in found]

    def _apply(self, lines: Sequence[tuple[_Line, Row]]) -> None:
        if not lines:
            return
        self._connection.run("SAVEPOINT chunk")
        try:
            staged = self._staging.fill(self._connection, [row for _, row in lines])
            check_age(staged, horizon_ms=self._horizon_ms, pipeline=self._pipeline, ref=self._ref)
            landed = land_heartbeats(self._connection, staged, tables=self._tables, pipeline=self._pipeline)
            applied = self._statements.apply(self._connection, staged=staged)
        except RowsRefusedError as error:
            refusal = self._refusal(error.number, error.message)
        except pymysql.err.Error as error:
            if verdict_on(error) is not Verdict.ROW:
                raise
            refusal = self._refusal(error_number(error), str(error.args[1]))
        else:
            self._result.applied += applied
            self._result.landed += landed
            times = (self._result.newest_changed_at_ms, staged.newest_changed_at_ms)
            self._result.newest_changed_at_ms = max((time for time in times if time is not None), default=None)
            return
        self._connection.run("ROLLBACK TO SAVEPOINT chunk")
        if len(lines) == 1:
            self._reject(lines[0][0], refusal)
            return
        middle = len(lines) // 2
        self._apply(lines[:middle])
        self._apply(lines[middle:])

    def _refusal(self, number: int, message: str) -> Refusal:
        return refusal_of(number, message, pipeline=self._pipeline, tables=self._tables)

    def _reject(self, line: _Line, refusal: Refusal) -> None:
        self._result.rejected += 1
        if self._result.rejected > self._most_rejects():
            raise TooManyRejectsError(
                f"{self._ref.url}: more than {self._pipeline.max_reject_share:.1%} of its {self._result.rows} rows are "
                f"refused (the last one, line {line.number}: {refusal.reason}); nothing of it was loaded. Mend the "
                "table or the pipeline file and redrive, or raise max_reject_share"
            )
        self._connection.run(
            f"INSERT INTO {as_template(self._tables.rejects.quoted)} (object_id, bucket, object_key, object_version, "  # noqa: S608
            "pipeline, target_table, line_number, error_code, reason, line, rejected_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(6))",
            (
                self._ref.object_id,
                self._ref.bucket,
                self._ref.key,
                self._ref.shown_version,
                self._pipeline.name,
                self._pipeline.target_table,
                line.number,
                refusal.number,
                refusal.reason,
                line.content,
            ),
        )

    def _most_rejects(self) -> float:
        share = self._pipeline.max_reject_share
        # One bad row is no sign of a bad object, however few rows there are; a share of 0 wants none all the same.
        return max(1, share * self._result.rows) if share else 0
