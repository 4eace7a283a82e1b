"""
Wait until the target has a row for every item of the source: `python3 await_rows.py SECONDS`.

Needs no other module of this package, so that the operator's image can run it.
"""

import sys
import time
from pathlib import Path

import boto3

from ddb2aurora.database.connect import close_quietly, connect
from ddb2aurora.database.settings import read_database_settings
from ddb2aurora.pipeline import load_pipeline
from ddb2aurora.settings import SettingsReader, process_environment
from ddb2aurora.sql import quote_name

_LOOK_EVERY_SECONDS = 0.5


def main(seconds: float) -> int:
    """Return 0 once there are as many rows as items, 1 when there are not after *seconds*."""
    reader = SettingsReader(process_environment())
    pipeline = load_pipeline(reader.text("PIPELINE", what="the name of a pipeline"), folder=Path("pipelines"))
    settings = read_database_settings(reader)
    reader.finish()
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=pipeline.source_table, Select="COUNT")
    items = sum(page["Count"] for page in pages)
    target = quote_name(settings.name or pipeline.target_database, pipeline.target_table)
    connection, _ = connect(settings)
    deadline = time.monotonic() + seconds
    try:
        while True:
            [(rows,)] = connection.rows(f"SELECT COUNT(*) FROM {target}")  # noqa: S608 - names are quoted
            if rows == items or time.monotonic() > deadline:
                break
            time.sleep(_LOOK_EVERY_SECONDS)
    finally:
        close_quietly(connection)
    sys.stdout.write(f"{items} items of {pipeline.source_table}, {rows} rows of {pipeline.target_table}\n")
    return int(rows != items)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
