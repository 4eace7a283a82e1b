"""How much memory the loader's process takes while its handler loads objects out of S3."""
# ruff: noqa: S608 - names of our own

import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import boto3
from benchmarking.children import Child
from benchmarking.machine import ROOT
from benchmarking.workloads import reference_pipeline

from ddb2aurora.compile_pipelines import compile_pipelines
from ddb2aurora.database.connect import connect
from ddb2aurora.database.migrate import migrate
from ddb2aurora.database.schema import tables_of
from ddb2aurora.database.settings import DatabaseSettings
from ddb2aurora.settings import Secret
from loading.rows import rows_in, write_object
from loading.server import bench_server
from local_aws.services.ministack import MiniStack

_HERE: Final = Path(__file__).parent.parent


class NotLoadedError(Exception):
    """The handler did not load all there was."""


def measure_memory(sizes_mib: Sequence[float], *, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """
    Let the handler itself load an object of each size out of an emulator's S3, in a process of its own.

    Return bytes of resident memory for each: `idle` before the first of them, `before` this one, `peak` during it.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        aws = stack.enter_context(MiniStack())
        server = stack.enter_context(bench_server("mariadb")).server
        compile_pipelines(ROOT / "pipelines", folder / "pipelines")
        pipeline = reference_pipeline()
        connection, kind = connect(
            DatabaseSettings(
                host=server.host, port=server.port, name=None, user=server.user, password=Secret(server.password)
            )
        )
        stack.callback(connection.close)
        migrate(connection, pipeline, server=kind, database=pipeline.target_database)
        environment = {
            **aws.environment,
            "AWS_ENDPOINT_URL": aws.url,
            "PIPELINE": pipeline.name,
            "PIPELINES_FOLDER": str(folder / "pipelines"),
            "LOAD_MODE": "local",
            "DB_HOST": server.host,
            "DB_PORT": str(server.port),
            "DB_USER": server.user,
            "DB_PASSWORD": server.password,
            "DB_TLS": "off",
        }
        child = stack.enter_context(
            Child([sys.executable, "contestants/loading.py"], folder=_HERE, environment=environment)
        )
        s3 = boto3.client(
            "s3",
            endpoint_url=aws.url,
            region_name=aws.environment["AWS_DEFAULT_REGION"],
            aws_access_key_id=aws.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=aws.environment["AWS_SECRET_ACCESS_KEY"],
        )
        s3.create_bucket(Bucket="bench")
        found = []
        # The first loads bring everything up that stays.
        for number, mebibytes in enumerate((0.1, 0.1, *sizes_mib)):
            say(f"memory: an object of {mebibytes} MiB")
            path = write_object(folder / "object.csv", pipeline, range(rows_in(mebibytes)), first_change=1)
            key = f"processed/web_analytics/WebAnalytics/{number}.csv"
            with path.open("rb") as body:
                etag = s3.put_object(Bucket="bench", Key=key, Body=body)["ETag"].strip('"')
            memory = child.ask(bucket="bench", key=key, size=path.stat().st_size, etag=etag)
            found.append({"mebibytes": mebibytes, **memory})
        s3.close()
        ledger = tables_of(pipeline, database=pipeline.target_database, key_collation=kind.key_collation).loads.quoted
        loaded = connection.rows(f"SELECT COUNT(*), SUM(rows_in_file) FROM {ledger}")
        if loaded != ((len(found), sum(rows_in(each["mebibytes"]) for each in found)),):
            raise NotLoadedError(loaded)
    idle = found[1]["before"]
    return [{**each, "idle": idle} for each in found[2:]]
