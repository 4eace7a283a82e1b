"""From the names of tables to their rows: what plan wrote runs at once, for tables of three shapes."""

import contextlib
import itertools
import json
import time
from pathlib import Path

import pytest
from planning_fixtures import ITEMS, KEYS, SHAPES, sdk_item

from ddb2aurora.pipeline_file import read_pipeline_file
from local_aws.demo.proof import prove
from local_aws.stack import resources
from local_aws.stack.embedded import EmbeddedStack

REPOSITORY = Path(__file__).parents[3]
_VIEW = "# CREATE OR REPLACE VIEW "
_PATIENCE_SECONDS = 90


class Replica:
    """The embedded stack of the pipelines that were written, and the files."""

    def __init__(self, stack, connection, pipelines, folder):
        self.stack = stack
        self.pipelines = pipelines
        self.folder = folder
        self._connection = connection

    def put(self, name, item):
        self.stack.clients.dynamodb.put_item(TableName=self.pipelines[name].source_table, Item=sdk_item(item))

    def delete(self, name, item):
        key = sdk_item({attribute: item[attribute] for attribute in KEYS[name]})
        self.stack.clients.dynamodb.delete_item(TableName=self.pipelines[name].source_table, Key=key)

    def await_proof(self, name):
        """Return the proof of one pipeline once it holds, or the last one when patience ends."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            proof = prove(
                self.pipelines[name], clients=self.stack.clients, bucket=resources.BUCKET, connection=self._connection
            )
            if proof.holds or time.monotonic() > deadline:
                return proof
            time.sleep(0.2)

    def query(self, statement):
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())


@pytest.fixture(scope="module")
def replica(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pipelines")
    for name in SHAPES:
        ran = tables.plan(tables.of_shape(name), "--write", "--name", name, "--pipelines", str(folder))
        assert ran.returncode == 0, ran.stderr
    pipelines = {name: read_pipeline_file(folder / f"{name}.yaml") for name in SHAPES}
    with (
        EmbeddedStack(list(pipelines.values()), cache=REPOSITORY / ".local" / "cache" / "databases") as stack,
        contextlib.closing(stack.database.connect(autocommit=True)) as connection,
    ):
        yield Replica(stack, connection, pipelines, folder)


@pytest.mark.parametrize("name", list(SHAPES))
def test_changes_flow_through_the_pipeline_that_was_written_and_rows_are_equal(replica, name):
    items = SHAPES[name]()
    for item in items:
        replica.put(name, item)
    for item in items[::5]:
        replica.delete(name, item)
    # A second value of each item is one that was seen of its neighbour.
    for item, other in itertools.islice(zip(items[1::5], items[2::5], strict=False), 5):
        replica.put(name, {**other, **{attribute: item[attribute] for attribute in KEYS[name]}})

    proof = replica.await_proof(name)

    living = ITEMS - len(items[::5])
    assert (proof.problems, proof.items, proof.equal_rows, proof.rejected_items) == ([], living, living, 0)


def test_a_view_of_each_kind_of_items_can_be_made_and_shows_them(replica):
    items = SHAPES["app"]()
    for item in items:
        replica.put("app", item)
    replica.await_proof("app")
    statements = [
        line.removeprefix("# ")
        for line in (replica.folder / "app.yaml").read_text().splitlines()
        if line.startswith(_VIEW)
    ]

    for statement in statements:
        replica.query(statement)

    database = replica.pipelines["app"].target_database
    counts = {
        name: replica.query(f"SELECT COUNT(*) FROM {database}.{name}")[0][0]  # noqa: S608 - the test's own names
        for name in ("app_user_profile", "app_user_order", "app_product_in_stock")
    }
    [(title, price)] = replica.query(f"SELECT title, price FROM {database}.app_product_in_stock WHERE pk = 'PRODUCT#7'")  # noqa: S608 - as above
    [(lines,)] = replica.query(f"SELECT lines_ FROM {database}.app_user_order WHERE sk = 'ORDER#7'")  # noqa: S608 - as above
    assert counts == dict.fromkeys(counts, ITEMS // 3)
    assert (len(statements), title, price, json.loads(lines)) == (3, "Product 7", "7", [{"qty": 2, "sku": "a"}])
