"""Wait until the target has a row for every item of the source. Runs in the operator's image: `python3 - SECONDS`."""

import sys
import time
from pathlib import Path

import boto3

from ddb2aurora.database.connect import connect
from ddb2aurora.database.settings import read_database_settings
from ddb2aurora.pipeline import load_pipeline
from ddb2aurora.settings import SettingsReader, process_environment
from ddb2aurora.sql import quote_name

LOOK_EVERY_SECONDS = 0.5

reader = SettingsReader(process_environment())
pipeline = load_pipeline(reader.text("PIPELINE", what="the name of a pipeline"), folder=Path("pipelines"))
settings = read_database_settings(reader)
reader.finish()
pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=pipeline.source_table, Select="COUNT")
items = sum(page["Count"] for page in pages)
connection, _ = connect(settings)
deadline = time.monotonic() + float(sys.argv[1])
while True:
    [(rows,)] = connection.rows(
        f"SELECT COUNT(*) FROM {quote_name(pipeline.target_database, pipeline.target_table)}"  # noqa: S608 - names are quoted
    )
    if rows == items:
        break
    if time.monotonic() > deadline:
        sys.exit(f"seed: {items} items of {pipeline.source_table}, but {rows} rows of {pipeline.target_table}")
    time.sleep(LOOK_EVERY_SECONDS)
sys.stdout.write(f"{items} items of {pipeline.source_table}, {rows} rows of {pipeline.target_table}\n")
