"""`ddb2aurora seed` against the emulator's DynamoDB."""

import json
import socket
from pathlib import Path

import pytest
from command_line import run_command

from ddb2aurora.codec import decode_item
from operator_cli.clickstream import Shares, operations

PIPELINES = Path(__file__).parents[3] / "pipelines"


@pytest.fixture
def folder(aws, tmp_path):
    """A folder with the reference pipeline, whose table has a name of its own."""
    for file in PIPELINES.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    pipeline = tmp_path / "web_analytics.yaml"
    pipeline.write_text(pipeline.read_text().replace("table: web_analytics", f"table: {aws.unique('visits')}"))
    return tmp_path


@pytest.fixture
def table(folder):
    return next(
        line.split()[-1] for line in (folder / "web_analytics.yaml").read_text().splitlines() if "table: visits" in line
    )


def create(aws, table, *key):
    aws.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(key, ("HASH", "RANGE"), strict=False)
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in key],
        BillingMode="PAY_PER_REQUEST",
    )


def seed(aws, folder, *arguments, **environment):
    variables = {**aws.environment, "PIPELINES_FOLDER": str(folder), "COLUMNS": "200", **environment}
    return run_command(["seed", *arguments], variables)


def test_the_table_holds_what_the_workload_leaves(aws, folder, table):
    create(aws, table, "page_id", "activity_dt")

    ran = seed(aws, folder, "--items", "120", "--seed", "5", "--deleted", "0.1", "--recreated", "0.1")

    planned = list(operations(120, seed=5, shares=Shares(deleted=0.1, recreated=0.1)))
    expected = {operation.key: operation.item for operation in planned}
    found = aws.client("dynamodb").scan(TableName=table)["Items"]
    items = {(item["page_id"], item["activity_dt"]): item for item in map(decode_item, found)}
    assert (ran.returncode, ran.stdout) == (
        0,
        f"{len(planned)} writes to 120 items of {table}, 2 of them broken on purpose\n",
    )
    assert items == {key: item for key, item in expected.items() if item is not None}
    assert len(items) == 108
    assert json.loads(next(iter(items.values()))["payload"])["device"]


def test_a_table_that_is_missing_is_status_2_and_named(aws, folder, table):
    ran = seed(aws, folder, "--items", "1")

    assert (ran.returncode, ran.stdout) == (2, "")
    error = ran.stderr.splitlines()[-1]
    assert error.startswith(f"ddb2aurora: BatchWriteItem on table {table} failed with ResourceNotFoundException (")
    assert error.endswith("): it is not there; create it, or check the region and AWS_ENDPOINT_URL")


def test_a_table_with_another_key_is_status_2_and_says_what_to_compare(aws, folder, table):
    create(aws, table, "id")

    ran = seed(aws, folder, "--items", "1")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines()[-1].endswith("): is its key that of the pipeline file?")


def test_an_endpoint_that_is_away_is_status_1_and_named_soon(aws, folder, table):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        ran = seed(aws, folder, "--items", "1", AWS_ENDPOINT_URL=url)

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.splitlines()[-1] == (
        f'ddb2aurora: table {table}: Could not connect to the endpoint URL: "{url}/"; check the network and '
        "AWS_ENDPOINT_URL"
    )
