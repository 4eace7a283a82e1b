"""
A day in the life of a deployed pipeline: its deployment, traffic, outages, and what an operator does about them.

Each part happens when it is first asked for, after those that come before it.
"""

import contextlib
import functools
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from containers import REPOSITORY
from deployed_stack import CREDENTIALS, Deployment
from outside import a_visit, eventually

PIPELINE = "web_analytics"
TABLE = "web_analytics"
ITEMS = 300
PATIENCE_SECONDS = 90
KEY = ("page_id", "activity_dt")
AT = "2026-01-05T10:00:00Z"


def once(happening: Callable[["Day"], Any]) -> property:
    """Let a part of the day happen once; what went wrong in it is told to whoever asks later, too."""
    name = happening.__name__

    @functools.wraps(happening)
    def told(day: "Day") -> Any:
        if name not in day.happened:
            try:
                day.happened[name] = happening(day)
            except Exception as error:
                day.happened[name] = error
                raise
        outcome = day.happened[name]
        if isinstance(outcome, Exception):
            pytest.fail(f"{name} went wrong, as told before: {type(outcome).__name__}")
        return outcome

    return property(told)


class Day:
    """What happens to a deployment, and what comes of it."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.happened: dict[str, Any] = {}

    @once
    def first_deployment(self) -> subprocess.CompletedProcess[str]:
        """From nothing to a pipeline through which nothing has gone yet."""
        done = self.deployment.run_script("deploy", "--push", "never", "--no-smoke")
        assert done.returncode == 0, done.stderr
        self.deployment.start_firehose()
        self.announced = self.deployment.listen_to(self.deployment.outputs["FailedTopicArn"])
        return done

    @once
    def second_deployment(self) -> subprocess.CompletedProcess[str]:
        """The same command again: nothing to change, and an item goes all the way and back."""
        assert self.first_deployment
        return self.deployment.run_script("deploy", "--push", "never")

    @once
    def traffic(self) -> Mapping[str, Any]:
        """The demonstration's workload, and its proof of what has arrived."""
        assert self.first_deployment
        self._command("operator_cli", "seed", "--items", str(ITEMS), "--pipeline", PIPELINE, "--json")
        eventually(lambda: self._proof()["problems"], [], seconds=PATIENCE_SECONDS)
        return self._proof()

    @once
    def outage(self) -> Mapping[str, Any]:
        """The loader is locked out of the database until it has given up an object; then events are replayed."""
        assert self.traffic
        with contextlib.closing(self.deployment.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("ALTER USER 'ddb2aurora_loader'@'%' ACCOUNT LOCK")
            self._end_sessions(cursor)
            self.deployment.dynamodb.put_item(TableName=TABLE, Item=a_visit("outage", AT, hits=5))
            eventually(self._given_up, "1", seconds=PATIENCE_SECONDS)
            self.shown = self.deployment.ask_operator("redrive", **{"from": ["events"], "dry_run": True})
            cursor.execute("ALTER USER 'ddb2aurora_loader'@'%' ACCOUNT UNLOCK")
        return self.deployment.call_operator("redrive", **{"from": ["events"]})

    @once
    def throttling(self) -> Mapping[str, Any]:
        """The transformer gets no place to run until Firehose has given up a change; then it is replayed."""
        assert self.outage
        function = self.deployment.outputs["FirehoseTransformerFunction"]
        before = len(self._keys(f"failed/{PIPELINE}/processing-failed/"))
        self.deployment.functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
        self.deployment.dynamodb.put_item(TableName=TABLE, Item=a_visit("throttled", AT, hits=6))
        eventually(
            lambda: len(self._keys(f"failed/{PIPELINE}/processing-failed/")), before + 1, seconds=PATIENCE_SECONDS
        )
        self.deployment.functions.delete_function_concurrency(FunctionName=function)
        # What the workload broke on purpose fails again, which is no reason to stop here.
        answer = self.deployment.ask_operator("redrive", **{"from": ["records"], "most_failing": 1})
        return {"answer": answer, "moved": len(self._keys(f"replayed/failed/{PIPELINE}/"))}

    @once
    def oversized(self) -> list[str]:
        """A change that no record of Firehose holds is kept in the bucket."""
        assert self.throttling
        # 390 kB in the table; each such character is six in the change.
        item = a_visit("oversized", AT, payload="\x01" * 390_000)
        self.deployment.dynamodb.put_item(TableName=TABLE, Item=item)
        prefix = f"failed/{PIPELINE}/oversized/"
        eventually(lambda: len(self._keys(prefix)), 1, seconds=PATIENCE_SECONDS)
        self.deployment.dynamodb.delete_item(TableName=TABLE, Key={name: item[name] for name in KEY})
        return self._keys(prefix)

    @once
    def sweep(self) -> Mapping[str, Any]:
        """The ledger forgets an object, as if the loader had never been told of it."""
        assert self.oversized
        with contextlib.closing(self.deployment.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM Demo._ddb2aurora_loads ORDER BY loaded_at LIMIT 1")
        return self.deployment.call_operator("sweep", older_than="1s")

    @once
    def repair(self) -> Mapping[str, Any]:
        """Somebody damages rows by hand: one is gone, one is another."""
        assert self.sweep
        with contextlib.closing(self.deployment.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM Demo.WebAnalytics WHERE page_id = 'outage'")
            cursor.execute("UPDATE Demo.WebAnalytics SET hits = 99 WHERE page_id = 'throttled'")
        return self.deployment.ask_operator("verify", repair=True, settle="1s")

    @once
    def heartbeat(self) -> Mapping[str, Any]:
        assert self.first_deployment
        return self.deployment.call_operator("heartbeat", wait=60)

    @once
    def routine(self) -> Mapping[str, Mapping[str, Any]]:
        """What an operator asks for on any day, last of all."""
        assert self.repair
        assert self.heartbeat
        asked: dict[str, dict[str, Any]] = {
            "status": {},
            "verify": {"settle": "1s"},
            "diff-item": {"key": ["page_id=outage", f"activity_dt={AT}"]},
            "purge": {"older_than": "30d"},
        }
        return {command: self.deployment.ask_operator(command, **options) for command, options in asked.items()}

    @once
    def done(self) -> Deployment:
        """The deployment after all of it."""
        assert self.second_deployment
        assert self.routine
        return self.deployment

    @once
    def plan(self) -> subprocess.CompletedProcess[str]:
        """What a deployment would change when nothing has changed."""
        assert self.second_deployment
        return self.deployment.run_script("plan")

    @once
    def destruction(self) -> subprocess.CompletedProcess[str]:
        """The end of it: all is taken down but what holds data."""
        assert self.done
        assert self.plan
        return self.deployment.run_script("destroy", "--force")

    def rows(self, page: str) -> list[tuple[Any, ...]]:
        """Return the visits to a page that have arrived."""
        with contextlib.closing(self.deployment.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT activity_dt, hits FROM Demo.WebAnalytics WHERE page_id = %s", (page,))
            return list(cursor.fetchall())

    def _given_up(self) -> str:
        queue = self.deployment.outputs["LoaderFailuresQueueUrl"]
        names = ["ApproximateNumberOfMessages"]
        found = self.deployment.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)
        return found["Attributes"]["ApproximateNumberOfMessages"]

    def _end_sessions(self, cursor: Any) -> None:
        """End the loader's sessions, which a lock alone would leave open."""
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'ddb2aurora_loader'")
        for (session,) in cursor.fetchall():
            cursor.execute(f"KILL {session}")

    def _keys(self, prefix: str) -> list[str]:
        found = self.deployment.s3.list_objects_v2(Bucket=self.deployment.outputs["BucketName"], Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", [])]

    def _proof(self) -> dict[str, Any]:
        script = REPOSITORY / "tests" / "support" / "prove.py"
        done = self._run(str(script), str(REPOSITORY / "pipelines" / f"{PIPELINE}.yaml"))
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def _command(self, package: str, *arguments: str) -> None:
        done = self._run("-m", package, *arguments)
        assert done.returncode == 0, done.stderr

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **self.deployment.account.environment,
            "BUCKET_NAME": self.deployment.outputs["BucketName"],
            "MYSQL_HOST": "127.0.0.1",
            "MYSQL_PORT": str(self.deployment.database_port),
            "MYSQL_USER": CREDENTIALS["username"],
            "MYSQL_PASSWORD": CREDENTIALS["password"],
        }
        return subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
