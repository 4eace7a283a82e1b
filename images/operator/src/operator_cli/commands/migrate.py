"""`ddb2aurora migrate`: make the tables that a pipeline needs."""

import typer

from ddb2aurora.database.connect import close_quietly, connect
from ddb2aurora.database.migrate import migrate as migrate_database
from ddb2aurora.database.settings import read_database_settings
from ddb2aurora.settings import SettingsReader, process_environment
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.pipelines import find_pipeline


def migrate(*, pipeline: PipelineName = "web_analytics", pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER) -> None:
    """
    Make the database, the target table and the tables kept beside it; safe to run again.

    A table that is there and does not match is refused, with every difference named. The database is reached as
    DB_HOST, DB_PORT, DB_USER and one of DB_PASSWORD, DB_SECRET_ARN, DB_AUTH=iam say.
    """
    found = find_pipeline(pipeline, folder=pipelines)
    reader = SettingsReader(process_environment())
    settings = read_database_settings(reader)
    reader.finish()
    connection, server = connect(settings)
    try:
        made = migrate_database(connection, found, server=server, database=settings.name or found.target_database)
    finally:
        close_quietly(connection)
    for line in made or ("nothing to do: all tables are there and match",):
        typer.echo(line)
