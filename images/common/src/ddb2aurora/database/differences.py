"""
How a table differs from what a pipeline needs, and for each difference what mends it and who may do that.

Pure: descriptions in, differences out. A difference is mended online where no value can change and loads can go on; the
rest is for a person, with the statement and the reason. Not every difference stops loads: a table may be wider than the
pipeline file asks for, as it is while a changed file is being rolled out or taken back.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ddb2aurora.column_types import ColumnType, parse_column_type
from ddb2aurora.database.described import DescribedColumn, DescribedTable
from ddb2aurora.database.table_definitions import ColumnDefinition, TableDefinition
from ddb2aurora.sql import VERSION_COLUMN, quote_name
from ddb2aurora.widening import holds

# MySQL and MariaDB: adding a column is a change of the dictionary alone; INSTANT takes no LOCK clause on MySQL.
_INSTANT: Final = "ALGORITHM=INSTANT"
_IN_PLACE: Final = "ALGORITHM=INPLACE, LOCK=NONE"
COPYING: Final = "ALGORITHM=COPY, LOCK=SHARED"
# InnoDB: a length of up to 255 bytes takes one byte, a longer one two; the rows have to be written anew in between.
_SHORT_BYTES: Final = 255
_UTF8MB4_BYTES: Final = 4
# At the beginning of what SHOW CREATE TABLE says of a column.
_LEADING_TYPE: Final = re.compile(r"^[a-z]+(?:\([\d,]+\))?(?: unsigned)?")
_NOT_NULL: Final = re.compile(rf"({_LEADING_TYPE.pattern}(?: CHARACTER SET \w+)?(?: COLLATE \w+)?) NOT NULL")


class Mend(StrEnum):
    """Who mends a difference, and how."""

    ONLINE = "online"
    """`migrate` does it, while loads go on."""
    COPY = "copy"
    """`migrate` does it with --allow-copy: the server copies the table, and loads wait."""
    PERSON = "person"
    """A person has to decide."""
    LEFT = "left"
    """Nobody has to: the table holds more than the file asks for, and may go on to."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of a table from what the pipeline needs."""

    place: str
    """The table, and the column if it is one's."""
    text: str
    table: str
    """The quoted name, for statements."""
    clauses: tuple[str, ...]
    """What mends it, of ALTER TABLE; for an online mend several ways, the lightest first."""
    mend: Mend
    why: str = ""
    """Why `migrate` does not do it by itself."""
    concerns_loads: bool = True

    @property
    def blocks(self) -> bool:
        """Whether nothing may be loaded as long as it is there."""
        return self.concerns_loads and self.mend is not Mend.LEFT

    @property
    def statement(self) -> str:
        """The statement that mends it."""
        return f"ALTER TABLE {self.table} {self.clauses[0]}" if self.clauses else ""

    @property
    def problem(self) -> str:
        """The difference and its mend as one line."""
        return f"{self.place}: {self.text}" + (f"; {self.statement}" if self.clauses else "")


def differences(
    table: TableDefinition,
    *,
    expected: Mapping[str, DescribedColumn],
    actual: DescribedTable,
    is_target: bool,
    former: Collection[str] = (),
    definitions: Mapping[str, str] | None = None,
) -> Iterator[Difference]:
    """
    Yield how *actual* differs from *table*, which the server describes as *expected*.

    *former* names columns that earlier pipeline files had. *definitions* is what the server says of each column;
    without it the differences are the same, but nothing can be mended by them.
    """
    there = actual.columns
    before = ""
    for column in table.columns:
        place = f" AFTER {quote_name(before)}" if before else " FIRST"
        before = column.name
        found = there.get(column.name)
        if found is None:
            yield _missing(table, column, place=place, is_target=is_target)
        else:
            yield from _Column(
                table, column, expected[column.name], found, is_target=is_target, definitions=definitions or {}
            ).differences()
    for name in sorted(there.keys() - expected.keys()):
        yield from _surplus(table, name, there[name], is_former=name in former, definitions=definitions or {})
    yield from _indexes(table, actual)


def not_innodb(table: TableDefinition, kind: str) -> Difference:
    """Return the difference of a table that is a *kind* that no transaction can load."""
    text = f"is {kind}; only an InnoDB table can be loaded in a transaction"
    return Difference(table.name, text, table.quoted, (), Mend.PERSON, "what it holds would have to be moved")


def _missing(table: TableDefinition, column: ColumnDefinition, *, place: str, is_target: bool) -> Difference:
    added = f"ADD COLUMN {quote_name(column.name)} {column.definition}"
    where = f"{table.name}.{column.name}"
    why = ""
    if column.name in table.primary_key:
        why = "the rows that are there have no value for the key"
    elif is_target and column.name == VERSION_COLUMN:
        why = "the rows that are there would count as backfilled, so that any change beats them"
    elif "NOT NULL" in column.definition and "DEFAULT" not in column.definition:
        why = (
            "the rows that are there have no value for it, and the server would make one up; roll it out without "
            "null: false, fill it with ddb2aurora verify --repair, then forbid NULL"
        )
    if why:
        return Difference(where, "is missing", table.quoted, (added,), Mend.PERSON, why)
    # MySQL before 8.0.29 adds at once only at the end, and any server only so often.
    ways = (f"{added}{place}, {_INSTANT}", f"{added}, {_INSTANT}", f"{added}{place}, {_IN_PLACE}")
    return Difference(where, "is missing", table.quoted, ways, Mend.ONLINE)


@dataclass(frozen=True, slots=True)
class _Edit:
    """A change of a column's definition that costs no value; *copies* when the server copies the table for it."""

    text: str
    pattern: re.Pattern[str]
    replacement: str
    copies: bool


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that is there, and what it should be."""

    table: TableDefinition
    column: ColumnDefinition
    expected: DescribedColumn
    actual: DescribedColumn
    is_target: bool
    definitions: Mapping[str, str]

    def differences(self) -> Iterator[Difference]:
        if "GENERATED" in self.actual.extra:
            yield self._for_a_person("is a generated column", "its expression would go")
            return
        edits = []
        for found in (self._type(), self._nullable()):
            if isinstance(found, Difference):
                yield found
            elif found is not None:
                edits.append(found)
        if edits:
            yield self._edited(edits)
        others = [*self._collation(), *self._ours()]
        if others:
            yield self._for_a_person(", ".join(others), "every row would be written anew, and may compare differently")

    def _type(self) -> "Difference | _Edit | None":
        actual, expected = self.actual.type, self.expected.type
        if actual == expected:
            return None
        text = f"is {actual} instead of {expected}"
        old, new = _parsed(actual), _parsed(expected)
        if old is None or new is None or not (holds(old, new) or holds(new, old)):
            return self._for_a_person(text, "a change of type converts every value")
        if holds(old, new):
            return self._for_a_person(text, "what is there may not fit", may_stay=not self.column.is_ours)
        return _Edit(text, _LEADING_TYPE, expected, copies=not _widens_in_place(old, new))

    def _nullable(self) -> "Difference | _Edit | None":
        if self.actual.nullable == self.expected.nullable:
            return None
        if not self.actual.nullable:
            return _Edit("forbids NULL", _NOT_NULL, r"\1 NULL", copies=False)
        may_stay = self.is_target and not self.column.is_ours
        return self._for_a_person("allows NULL", "there may be rows with NULL; fill them first", may_stay=may_stay)

    def _collation(self) -> Iterator[str]:
        actual, expected = self.actual, self.expected
        if self.column.name in self.table.primary_key and actual.collation != expected.collation:
            yield f"compares by {actual.collation} instead of {expected.collation}, byte for byte"
        elif actual.charset and expected.charset and actual.charset != expected.charset:
            yield f"has the character set {actual.charset} instead of {expected.charset}"

    def _ours(self) -> Iterator[str]:
        if self.column.is_ours and self.actual.default != self.expected.default:
            yield f"has the default {self.actual.default} instead of {self.expected.default}"
        if self.column.is_ours and "INVISIBLE" not in self.actual.extra:
            yield "is visible"

    def _edited(self, edits: "list[_Edit]") -> Difference:
        """Return the difference that changes of the column's own definition mend; all else that it says stays."""
        definition = self.definitions.get(self.column.name, self.column.definition)
        for edit in edits:
            definition = edit.pattern.sub(edit.replacement, definition, count=1)
        change = f"MODIFY COLUMN {quote_name(self.column.name)} {definition}"
        where, text = f"{self.table.name}.{self.column.name}", ", ".join(edit.text for edit in edits)
        if any(edit.copies for edit in edits):
            why = "the server copies the whole table for it, and loads wait meanwhile; --allow-copy does it"
            return Difference(where, text, self.table.quoted, (f"{change}, {COPYING}",), Mend.COPY, why)
        return Difference(where, text, self.table.quoted, (f"{change}, {_IN_PLACE}",), Mend.ONLINE)

    def _for_a_person(self, text: str, why: str, *, may_stay: bool = False) -> Difference:
        change = f"MODIFY COLUMN {quote_name(self.column.name)} {self.column.definition}"
        where = f"{self.table.name}.{self.column.name}"
        mend = Mend.LEFT if may_stay else Mend.PERSON
        return Difference(where, text, self.table.quoted, (change,), mend, why)


def _surplus(
    table: TableDefinition, name: str, column: DescribedColumn, *, is_former: bool, definitions: Mapping[str, str]
) -> Iterator[Difference]:
    where, quoted = f"{table.name}.{name}", quote_name(name)
    if column.must_be_given and is_former:
        relaxed = _NOT_NULL.sub(r"\1 NULL", definitions[name], count=1)
        change = f"MODIFY COLUMN {quoted} {relaxed}, {_IN_PLACE}"
        text = "is NOT NULL and no longer in the pipeline file"
        yield Difference(where, text, table.quoted, (change,), Mend.ONLINE)
    elif column.must_be_given:
        yield Difference(
            where,
            "is NOT NULL without a default and not in the pipeline file; give it a default",
            table.quoted,
            (f"ALTER {quoted} SET DEFAULT ...",),
            Mend.PERSON,
            "only you know its default",
        )
    elif is_former:
        why = "its values would be gone, and a roll-back would need them"
        text = "is no longer in the pipeline file"
        yield Difference(where, text, table.quoted, (f"DROP COLUMN {quoted}",), Mend.LEFT, why)


def _indexes(table: TableDefinition, actual: DescribedTable) -> Iterator[Difference]:
    key = actual.primary_key
    if key != table.primary_key:
        wanted = ", ".join(map(quote_name, table.primary_key))
        change = f"{'DROP PRIMARY KEY, ADD' if key else 'ADD'} PRIMARY KEY ({wanted})"
        text = f"has the primary key ({', '.join(key)}) instead of ({', '.join(table.primary_key)})"
        yield Difference(table.name, text, table.quoted, (change,), Mend.PERSON, "rows may share the new key")
    for name, columns in actual.unique.items():
        # An upsert that meets another row's value in a unique index would change that row.
        text = f"has the unique index {name} ({', '.join(columns)}), by which an upsert could change the wrong row"
        change = f"DROP INDEX {quote_name(name)}"
        yield Difference(table.name, text, table.quoted, (change,), Mend.PERSON, "somebody made it for a reason")
    for index in table.indexes:
        there = actual.others.get(index.name)
        if there != index.columns:
            text = f"has the index {index.name} ({', '.join(there)})" if there else f"has no index {index.name}"
            quoted, wanted = quote_name(index.name), ", ".join(map(quote_name, index.columns))
            change = f"{f'DROP INDEX {quoted}, ' if there else ''}ADD INDEX {quoted} ({wanted}), {_IN_PLACE}"
            # Statements of a load name theirs, and would fail.
            yield Difference(table.name, text, table.quoted, (change,), Mend.ONLINE, concerns_loads=index.serves_loads)


def _parsed(sql: str) -> ColumnType | None:
    try:
        return parse_column_type(sql)
    except ValueError:
        return None


def _widens_in_place(old: ColumnType, new: ColumnType) -> bool:
    width = {"varchar": _UTF8MB4_BYTES, "varbinary": 1}.get(new.kind)
    if width is None:
        return False
    return (old.size * width <= _SHORT_BYTES) == (new.size * width <= _SHORT_BYTES)
