"""What the server shows of a table, where it shows nothing."""

import pytest

from ddb2aurora.database.described import HiddenColumnsError, describe_expected
from ddb2aurora.database.table_definitions import ColumnDefinition, TableDefinition

TABLE = TableDefinition("demo", "Things", (ColumnDefinition("id", "int NOT NULL"),), ("id",))


class Blind:
    """A connection of a user to whom MySQL shows no column."""

    def __init__(self):
        self.statements = []

    def run(self, statement):
        self.statements.append(" ".join(statement.split()[:3]))

    def rows(self, _statement):
        return ()


def test_a_user_who_may_use_none_of_our_tables_is_told_how_to_be_granted_that():
    connection = Blind()

    with pytest.raises(HiddenColumnsError, match="--loader-user or --operator-user"):
        describe_expected(connection, TABLE)

    assert connection.statements == ["DROP TEMPORARY TABLE", "CREATE TEMPORARY TABLE", "DROP TEMPORARY TABLE"]
