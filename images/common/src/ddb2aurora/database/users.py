"""
The users of the database that the functions log in as: made if they are missing, and granted what each needs.

The loader changes rows in the tables of its pipeline and nothing else; it can neither change nor drop a table. The
operator's commands make, swap and drop tables beside the target, whose names are not known beforehand, so they work in
the whole database; keep other tables in another one. Nothing is ever taken away from a user that is there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import pymysql

from ddb2aurora.database.connection import DatabaseConnection, as_template
from ddb2aurora.database.errors import as_our_error, error_number
from ddb2aurora.database.schema import Tables
from ddb2aurora.errors import HaltError
from ddb2aurora.settings import Secret
from ddb2aurora.sql import quote_name

Role: TypeAlias = Literal["loader", "operator"]

# MySQL: a user name has at most 32 characters. IAM policies name the user, so no character that means anything there.
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)
# Aurora's role that lets a user load from S3.
_LOADS_FROM_S3: Final = "AWS_LOAD_S3_ACCESS"
_PLUGIN_IS_NOT_LOADED: Final = 1524
# There is no such role: MySQL, MariaDB.
_NO_SUCH_ROLE: Final = (3523, 1959)
_OPERATOR: Final = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, CREATE TEMPORARY TABLES"


class UserNameError(HaltError):
    """A name cannot be that of a database user."""


class NoIamAuthenticationError(HaltError):
    """The server knows no login by IAM."""


@dataclass(frozen=True, slots=True)
class DatabaseUser:
    """A user and what it is for; without a *password* it logs in by IAM, over TLS only."""

    name: str
    role: Role
    password: Secret | None = None


def grants(role: Role, tables: Tables, *, wildcards: bool = True) -> Iterator[tuple[str, str]]:
    """
    Yield what a user needs, as privileges and what they are on.

    With *wildcards*, as servers have them by default, `_` and `%` in the name of a database stand for other characters.
    """
    database = tables.target.database
    if wildcards:
        database = database.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
    everything = f"{quote_name(database)}.*"
    if role == "operator":
        yield _OPERATOR, everything
        return
    # Each load works in temporary tables, which belong to whoever makes them.
    yield "CREATE TEMPORARY TABLES", everything
    needed = {
        tables.target.name: "SELECT, INSERT, UPDATE, DELETE",
        tables.rejects.name: "INSERT",
        tables.shapes.name: "SELECT",
        tables.horizons.name: "SELECT",
    }
    for table in tables.lasting:
        # What the loader keeps beside the target it writes and never deletes.
        yield needed.get(table.name, "SELECT, INSERT, UPDATE"), table.quoted


def ensure_user(connection: DatabaseConnection, user: DatabaseUser, *, tables: Tables) -> tuple[str, ...]:
    """
    Make *user* if it is missing, grant it what it needs for *tables*, and return what changed, a line each.

    Raises:
        UserNameError: No user can have the name.
        NoIamAuthenticationError: The user is to log in by IAM, and the server is none of AWS's.
        DatabaseHaltError: The server refuses, for want of a privilege for instance.
        DatabaseRetryError: The server cannot do it now.
    """
    if not _NAME.fullmatch(user.name):
        raise UserNameError(f"{user.name!r} is no name of a user: 1 to 32 letters, digits, '_', '.' and '-'")
    try:
        return tuple(_ensure(connection, user, tables))
    except pymysql.err.Error as error:
        if error_number(error) == _PLUGIN_IS_NOT_LOADED:
            raise NoIamAuthenticationError(
                f"the server has no AWSAuthenticationPlugin, so {user.name} cannot log in by IAM: only RDS and Aurora "
                "with IAM database authentication do that; elsewhere use --user-auth password"
            ) from error
        raise as_our_error(error, operation="granting", where=user.name) from error


def _ensure(connection: DatabaseConnection, user: DatabaseUser, tables: Tables) -> Iterator[str]:
    who = f"'{user.name}'@'%'"
    create = f"CREATE USER IF NOT EXISTS {who} IDENTIFIED"
    if user.password is None:
        # The token travels in clear inside the connection, so the connection has to be encrypted.
        effect = connection.run(f"{create} WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL")
    else:
        effect = connection.run(f"{as_template(create)} BY %s", (user.password.reveal(),))
    # A note says that it was there.
    if not effect.warnings:
        yield f"created the user {user.name} ({'iam' if user.password is None else 'password'})"
    before = _granted(connection, who)
    for privileges, on in grants(user.role, tables, wildcards=_has_wildcards(connection)):
        connection.run(f"GRANT {privileges} ON {on} TO {who}")
    if user.role == "loader" and _grant_loading_from_s3(connection, who):
        # What is granted is not yet active: SET ROLE after each login, which the loader does, or a default.
        connection.run(f"SET DEFAULT ROLE ALL TO {who}")
    if _granted(connection, who) != before:
        yield f"granted {user.name} what the {user.role} needs in {tables.target.database}"


def _grant_loading_from_s3(connection: DatabaseConnection, who: str) -> bool:
    """Let the user load from S3, where the server can do that; elsewhere the loader sends the rows itself."""
    try:
        connection.run(f"GRANT {_LOADS_FROM_S3} TO {who}")
    except pymysql.err.Error as error:
        if error_number(error) in _NO_SUCH_ROLE:
            return False
        raise
    return True


def _granted(connection: DatabaseConnection, who: str) -> frozenset[str]:
    return frozenset(str(row[0]) for row in connection.rows(f"SHOW GRANTS FOR {who}"))


def _has_wildcards(connection: DatabaseConnection) -> bool:
    # MySQL: with partial_revokes a name in a grant is taken literally.
    return not any(value == "ON" for _, value in connection.rows("SHOW VARIABLES LIKE 'partial_revokes'"))
