"""
The embedded stack as a user has it: started by its command, reached by the variables of its env file alone.

Neither this module nor the tests that use it import a package of the project.
"""

import contextlib
import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pymysql

REPOSITORY = Path(__file__).parents[2]
PIPELINES = REPOSITORY / "tests" / "system" / "pipelines"
PATIENCE_SECONDS = 30
LOOK_EVERY_SECONDS = 0.1


class Stack:
    """A running stack, seen through the AWS API and SQL."""

    def __init__(self, environment: Mapping[str, str], *, pipelines: Path) -> None:
        self.environment = dict(environment)
        self.pipelines = pipelines
        self.bucket = environment["BUCKET_NAME"]
        self._session = boto3.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_DEFAULT_REGION"],
        )
        self.dynamodb = self._client("dynamodb")
        self.s3 = self._client("s3")
        self.sns = self._client("sns")
        self.sqs = self._client("sqs")
        self._clients = [self.dynamodb, self.s3, self.sns, self.sqs]
        self.connection = pymysql.connect(
            host=environment["MYSQL_HOST"],
            port=int(environment["MYSQL_PORT"]),
            user=environment["MYSQL_USER"],
            password=environment["MYSQL_PASSWORD"],
            database=environment["MYSQL_DATABASE"],
            charset="utf8mb4",
            autocommit=True,
        )

    def put(self, table: str, item: Mapping[str, Any]) -> None:
        self.dynamodb.put_item(TableName=table, Item=item)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())

    def keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def content(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def close(self) -> None:
        self.connection.close()
        for client in self._clients:
            client.close()

    def _client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self.environment["AWS_ENDPOINT_URL"])


@dataclass(frozen=True)
class Page:
    """The visits to one page of the reference pipeline; no other test has the same page."""

    stack: Stack
    page_id: str

    def put(self, at: str = "2026-01-05T10:00:00Z", **visit: Any) -> None:
        self.stack.put("web_analytics", a_visit(self.page_id, at, **visit))

    def delete(self, at: str = "2026-01-05T10:00:00Z") -> None:
        key = {"page_id": {"S": self.page_id}, "activity_dt": {"S": at}}
        self.stack.dynamodb.delete_item(TableName="web_analytics", Key=key)

    def rows(self) -> list[tuple[str, int]]:
        query = "SELECT activity_dt, hits FROM Demo.WebAnalytics WHERE page_id = %s ORDER BY activity_dt"
        return self.stack.rows(query, self.page_id)


def a_visit(page_id: str, at: str, *, hits: Any = 1, country: str = "DE", payload: str | None = None) -> dict[str, Any]:
    """Return an item of the reference pipeline; *payload* replaces the whole document."""
    document = {
        "Hits": hits,
        "device": {
            "make": "Apfel",
            "platform": {"name": "Alpha", "version": "14.2"},
            "location": {"latitude": "1", "longitude": "2", "country": country},
        },
        "session": {"session_id": "s", "start_timestamp": "10:00", "stop_timestamp": "10:05"},
    }
    text = json.dumps(document, ensure_ascii=False) if payload is None else payload
    return {"page_id": {"S": page_id}, "activity_dt": {"S": at}, "payload": {"S": text}}


def eventually(look: Callable[[], Any], expected: Any, *, seconds: float = PATIENCE_SECONDS) -> None:
    """Look until *expected* is seen; after a while compare what is seen, so that the difference is shown."""
    deadline = time.monotonic() + seconds
    while (seen := look()) != expected and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_SECONDS)
    assert seen == expected


@contextlib.contextmanager
def running_stack(folder: Path, *arguments: str) -> Iterator[Stack]:
    """Start a stack by its command, with the repository's pipelines and those of the system tests, and end it."""
    pipelines = folder / "pipelines"
    shutil.copytree(REPOSITORY / "pipelines", pipelines)
    shutil.copytree(PIPELINES, pipelines, dirs_exist_ok=True)
    place = folder / "local"
    cache = REPOSITORY / ".local" / "cache" / "databases"
    local_stack("up", "--folder", place, "--pipelines", pipelines, "--cache", cache, *arguments)
    try:
        with contextlib.closing(Stack(read_environment(place / "env"), pipelines=pipelines)) as stack:
            yield stack
    finally:
        local_stack("down", "--folder", place)


def local_stack(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "local_aws.stack", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr


def read_environment(path: Path) -> dict[str, str]:
    """Return what a shell would read from the env file."""
    lines: Sequence[str] = shlex.split(path.read_text())
    return dict(line.split("=", 1) for line in lines)
