"""The whole path with many changes in one Firehose record, some of which can never load."""

import base64
import contextlib
import gzip
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ddb2aurora.envelope import lines_of
from ddb2aurora.failed import decode_failed
from ddb2aurora.pipeline_file import read_pipeline_file
from local_aws.demo.proof import prove
from local_aws.demo.run import run_workload
from local_aws.stack import resources
from local_aws.stack.embedded import EmbeddedStack
from operator_cli.clickstream import Shares, operations

REPOSITORY = Path(__file__).parents[3]
KEPT_ALONE = re.compile(r"failed/web_analytics/processing-failed/\d{4}/\d\d/\d\d/\d\d/[0-9a-f]{64}\.json")
BACKUP = "backup/web_analytics/"


class Packed:
    """A stack that has carried a workload with packing, and what there is to see of it."""

    def __init__(self, stack: EmbeddedStack, outcome: Any, proof: Any) -> None:
        self.stack = stack
        self.counts = outcome.counts
        self.proof = proof

    def objects(self, prefix: str) -> dict[str, bytes]:
        s3 = self.stack.clients.s3
        listed = s3.list_objects_v2(Bucket=resources.BUCKET, Prefix=prefix).get("Contents", [])
        return {
            found["Key"]: s3.get_object(Bucket=resources.BUCKET, Key=found["Key"])["Body"].read() for found in listed
        }


@pytest.fixture(scope="module")
def packed() -> Iterator[Packed]:
    pipeline = read_pipeline_file(REPOSITORY / "pipelines" / "web_analytics.yaml")
    pipeline = msgspec.structs.replace(pipeline, packing=True)
    planned = list(operations(400, seed=3, shares=Shares(updated=0.1, deleted=0.1, recreated=0.1, broken=0.1)))
    with (
        EmbeddedStack([pipeline], cache=REPOSITORY / ".local" / "cache" / "databases") as stack,
        contextlib.closing(stack.database.connect(autocommit=True)) as connection,
    ):
        outcome = run_workload(
            stack, pipeline, planned, connection=connection, progress=lambda *_: None, deadline_seconds=60
        )
        proof = prove(pipeline, clients=stack.clients, bucket=resources.BUCKET, connection=connection)
        yield Packed(stack, outcome, proof)


def test_source_and_target_agree_and_every_change_is_accounted_for(packed):
    assert packed.proof.problems == []
    assert (packed.proof.failed_but_fit, packed.proof.rejected_with_row) == (0, 0)
    assert packed.counts.accounted
    assert packed.counts.nothing_lost
    assert packed.counts.rejected == packed.proof.failed_records == packed.proof.rejected_items > 0


def test_many_changes_share_a_record_and_the_bill_is_a_fraction(packed):
    assert packed.counts.records * 10 < packed.counts.accepted
    assert packed.counts.bill.as_put * 4 < packed.counts.bill.one_by_one


def test_changes_that_fail_are_kept_alone_with_their_reason_while_their_record_goes_on(packed):
    kept = packed.objects("failed/")

    failed = [record for content in kept.values() for record in decode_failed(content)]

    assert packed.counts.failed == 0
    assert len(failed) == packed.counts.kept
    assert all(KEPT_ALONE.fullmatch(key) for key in kept)
    assert all(len(lines_of(record.raw_data)) == 1 for record in failed)
    assert Counter(record.error_code for record in failed) == packed.proof.reasons


def test_a_transformation_that_is_tried_again_keeps_nothing_twice(packed):
    before = packed.objects("failed/")
    failed = [record for content in before.values() for record in decode_failed(content)]
    good, bad = b'{"v":1}\n', failed[0].raw_data
    event = {
        "records": [
            {
                "recordId": "again",
                "approximateArrivalTimestamp": failed[0].arrival_timestamp,
                "data": base64.b64encode(bad.replace(b'"INSERT"', b'"REMOVE"') + good + bad).decode(),
            }
        ]
    }
    transformer = packed.stack.running["web_analytics"].transformer

    answers = [transformer.invoke(event).payload for _ in range(3)]

    after = packed.objects("failed/")
    [added] = after.keys() - before.keys()
    packed.stack.clients.s3.delete_object(Bucket=resources.BUCKET, Key=added)
    assert answers[0] == answers[1] == answers[2]
    assert [record["result"] for record in answers[0]["records"]] == ["Ok"]
    assert [record.raw_data for record in decode_failed(after[added])] == [good, bad]


def test_the_backup_holds_every_change_on_a_line_of_its_own(packed):
    backed_up = b"".join(map(gzip.decompress, packed.objects(BACKUP).values()))

    assert len(lines_of(backed_up)) >= packed.counts.accepted
