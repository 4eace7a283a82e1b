"""Whether the loader has tables to load into: asked before a table that may take a week is read for nothing."""

import pymysql

from ddb2aurora.database.connection import as_template
from ddb2aurora.database.errors import as_our_error
from operator_cli.site import Database


def check_target(database: Database) -> None:
    """
    Look at each table that `migrate` makes for the pipeline of *database*; without any of them nothing is loaded.

    Raises:
        DatabaseRetryError: The database does not answer.
        DatabaseHaltError: A table is missing, and is named; or it may not be read.
    """
    for table in database.tables.lasting:
        try:
            database.connection.rows(f"SELECT 1 FROM {as_template(table.quoted)} LIMIT 0")  # noqa: S608 - our names
        except pymysql.err.Error as error:
            raise as_our_error(error, operation="looking for the target", where=table.quoted) from error
