"""`ddb2aurora rebuild` on a whole stack, while items are written: source and target are equal afterwards."""

import contextlib
import json
import random
import threading
import time
from pathlib import Path

import pytest
from command_line import run_command

from ddb2aurora.codec import encode_item
from ddb2aurora.pipeline_file import read_pipeline_file
from local_aws.stack.embedded import EmbeddedStack

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).parents[3]
PATIENCE_SECONDS = 90
FILE = """\
name: things
source: {table: things, key: [id]}
packing: PACKING
target:
  database: rebuilt
  table: Things
  columns:
    id: {type: varchar(40), from: id}
    n: {type: varchar(20), from: n}
"""


def eventually(condition, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {PATIENCE_SECONDS} s"
        time.sleep(0.1)  # a poll with a deadline


class Writer(threading.Thread):
    """Write items and delete some until it is told to stop."""

    def __init__(self, dynamodb):
        super().__init__()
        self._dynamodb = dynamodb
        self._stop_it = threading.Event()
        self.items = {}
        self.writes = 0

    def run(self):
        chance = random.Random(11)  # noqa: S311 - a reproducible workload
        while not self._stop_it.wait(0.01):
            self.writes += 1
            name = f"item-{chance.randrange(80)}"
            if chance.random() < 0.2:
                self.items.pop(name, None)
                self._dynamodb.delete_item(TableName="things", Key={"id": {"S": name}})
            else:
                self.items[name] = str(self.writes)
                self._dynamodb.put_item(TableName="things", Item=encode_item({"id": name, "n": self.items[name]}))

    def stop(self):
        self._stop_it.set()
        self.join()


@pytest.mark.parametrize("packing", ["off", "on"])
def test_rebuilt_while_items_are_written_verify_says_that_both_sides_are_equal(packing, tmp_path):
    (tmp_path / "things.yaml").write_text(FILE.replace("PACKING", packing))
    pipeline = read_pipeline_file(tmp_path / "things.yaml")
    with (
        EmbeddedStack([pipeline], cache=REPOSITORY / ".local" / "cache" / "databases") as stack,
        contextlib.closing(stack.database.connect(autocommit=True)) as connection,
    ):

        def operate(*arguments):
            variables = {**stack.environment, "PIPELINES_FOLDER": str(tmp_path)}
            ran = run_command([*arguments, "--json"], variables)
            assert ran.stdout, ran.stderr
            return ran.returncode, json.loads(ran.stdout)

        def query(statement):
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())

        def backups():
            found = stack.clients.s3.list_objects_v2(Bucket=stack.environment["BUCKET_NAME"], Prefix="backup/things/")
            return found.get("KeyCount", 0)

        writer = Writer(stack.clients.dynamodb)
        writer.start()
        try:
            eventually(lambda: backups() > 0, "a backup")
            status, told = operate("rebuild")
            loads = len(query("SELECT 1 FROM rebuilt._ddb2aurora_loads"))
            eventually(
                lambda: len(query("SELECT 1 FROM rebuilt._ddb2aurora_loads")) > loads + 2, "loads after the switch"
            )
        finally:
            writer.stop()
        eventually(lambda: dict(query("SELECT id, n FROM rebuilt.Things")) == writer.items, "the arrival of all writes")
        verified, _ = operate("verify", "--settle", "1s")

    assert (status, told["outcome"], verified) == (0, "switched", 0), told
    assert told["caught_up"]["objects"] > 0
