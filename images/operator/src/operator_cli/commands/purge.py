"""`ddb2aurora purge`: forget old deletes."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from ddb2aurora.database.connect import close_quietly, connect
from ddb2aurora.database.purge import purge as purge_tombstones
from ddb2aurora.database.settings import read_database_settings
from ddb2aurora.settings import SettingsReader, process_environment
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.pipelines import find_pipeline

_AGE: Final = re.compile(r"([1-9]\d{0,5})([smhdw])", re.ASCII)
_UNIT_MS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def age_in_ms(text: str) -> int:
    """
    Return the age that *text* says, such as 12h, 7d or 2w.

    Raises:
        BadParameter: It says none.
    """
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter("an age is a number and one of s, m, h, d, w, such as 7d")
    return int(match[1]) * _UNIT_MS[match[2]]


def purge(
    *,
    pipeline: PipelineName = "web_analytics",
    older_than: Annotated[
        str, typer.Option("--older-than", help="Forget deletes of this age, such as 7d; longer than any replay.")
    ] = "14d",
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> None:
    """
    Forget the deletes of a target that are older than an age, and refuse older changes from then on.

    The target remembers each delete, so that a late older change cannot bring the row back. An object that holds a
    change from before the horizon is refused as a whole: choose an age beyond which nothing is redriven.
    """
    age_ms = age_in_ms(older_than)
    found = find_pipeline(pipeline, folder=pipelines)
    reader = SettingsReader(process_environment())
    settings = read_database_settings(reader)
    reader.finish()
    database = settings.name or found.target_database
    connection, server = connect(settings)
    try:
        purged = purge_tombstones(connection, found, server=server, database=database, older_than_ms=age_ms)
    finally:
        close_quietly(connection)
    horizon = datetime.fromtimestamp(purged.horizon_ms / 1000, UTC).isoformat(timespec="seconds")
    typer.echo(f"forgot {purged.tombstones} deletes of {database}.{found.target_table}; horizon: {horizon}")
