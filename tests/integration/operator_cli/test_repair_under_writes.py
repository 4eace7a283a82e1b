"""The whole stack under writers that never rest, while rows are damaged by hand and verify mends them."""

import contextlib
import json
import random
import threading
import time
from pathlib import Path

import pytest
from command_line import run_command

from ddb2aurora.pipeline_file import read_pipeline_file
from local_aws.demo.proof import prove
from local_aws.demo.run import run_workload
from local_aws.stack import resources
from local_aws.stack.embedded import EmbeddedStack
from operator_cli.clickstream import Operation, Shares, operations, put_visit, visit_key
from operator_cli.seeding import Seeder

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).parents[3]
_ITEMS = 240
_ROUNDS = 2


class Writer:
    """Put and delete the items of its own share, at random, until it is told to stop."""

    def __init__(self, stack, pipeline, number, of):
        self._seeder = Seeder(stack.clients.dynamodb, table=pipeline.source_table, key=pipeline.source_key)
        self._items = list(range(number, _ITEMS, of))
        self._random = random.Random(number)  # noqa: S311 - a workload
        self._stopping = threading.Event()
        self.writes = 0
        self.error = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        try:
            while not self._stopping.wait(0.01):
                item = self._random.choice(self._items)
                dead = self._random.random() < 0.3
                operation = Operation(visit_key(item), None) if dead else put_visit(self._random, item, broken=False)
                self.writes += self._seeder.write([operation], written=lambda _: None)
        except BaseException as error:  # noqa: BLE001 - raised again by the test
            self.error = error

    def stop(self):
        self._stopping.set()
        self._thread.join()
        if self.error is not None:
            raise self.error


def damage(connection, seed):
    """Delete some rows, change some, add some."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT page_id, activity_dt FROM Demo.WebAnalytics ORDER BY RAND(%s) LIMIT 20", (seed,))
        rows = cursor.fetchall()
        for key in rows[:10]:
            cursor.execute("DELETE FROM Demo.WebAnalytics WHERE page_id = %s AND activity_dt = %s", key)
        for key in rows[10:]:
            cursor.execute(
                "UPDATE Demo.WebAnalytics SET hits = -1 WHERE page_id = %s AND activity_dt = %s",
                key,
            )
        for number in range(5):
            cursor.execute(
                "INSERT INTO Demo.WebAnalytics (page_id, activity_dt) VALUES (%s, 'never')", (f"{seed}-{number}",)
            )


@pytest.mark.timeout(300)
def test_writers_lose_nothing_and_every_damage_is_mended():
    pipeline = read_pipeline_file(REPOSITORY / "pipelines" / "web_analytics.yaml")
    planned = list(operations(_ITEMS, seed=3, shares=Shares(broken=0)))
    repaired = 0
    with (
        EmbeddedStack([pipeline], cache=REPOSITORY / ".local" / "cache" / "databases") as stack,
        contextlib.closing(stack.database.connect(autocommit=True)) as connection,
    ):
        run_workload(stack, pipeline, planned, connection=connection, progress=lambda *_: None, deadline_seconds=60)
        writers = [Writer(stack, pipeline, number, 3) for number in range(3)]
        # Shorter than the lag at times: then a change in flight is mended too, which must do no harm either.
        for seed in range(_ROUNDS):
            damage(connection, seed)
            ran = run_command(["verify", "--repair", "--settle", "3s", "--json"], stack.environment, folder=REPOSITORY)
            assert ran.stdout, ran.stderr
            found = json.loads(ran.stdout)["found"]
            repaired += sum(by_state.get("repaired", 0) for by_state in found.values())
        for writer in writers:
            writer.stop()
        # What a repair has overwritten stays wrong from here on, however long the last changes are waited for.
        deadline = time.monotonic() + 60
        while True:
            proof = prove(pipeline, clients=stack.clients, bucket=resources.BUCKET, connection=connection)
            if proof.holds or time.monotonic() > deadline:
                break
            time.sleep(0.5)

    assert proof.problems == []
    assert repaired >= _ROUNDS * 5
    assert sum(writer.writes for writer in writers) > 300
