"""
What a user would write first: a loop that reads the stream and upserts each change, `python -m paths.poller SETTINGS`.

It reads shard after shard, and knows no failure, no order of versions, no restart. With "discard" it only reads: what
the emulator alone can carry. A line on standard input ends it; it then says how many changes it read.
"""

import json
import select
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

import boto3
import pymysql
from benchmarking.workloads import reference_pipeline

_PAUSE_SECONDS: Final = 0.05
_UPSERT: Final = """
INSERT INTO Demo.WebAnalytics (page_id, activity_dt, timestarted, hits, start_time, end_time, country_code)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON DUPLICATE KEY UPDATE timestarted = VALUES(timestarted), hits = VALUES(hits), start_time = VALUES(start_time),
    end_time = VALUES(end_time), country_code = VALUES(country_code)
"""


def main(settings: Mapping[str, Any]) -> None:
    """Read and write until told to end."""
    client = boto3.client(
        "dynamodbstreams",
        endpoint_url=settings["url"],
        region_name=settings["region"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    [stream] = client.list_streams(TableName=reference_pipeline().source_table)["Streams"]
    connection = None if settings["discard"] else pymysql.connect(**settings["database"], autocommit=True)
    iterators = [
        client.get_shard_iterator(
            StreamArn=stream["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        for shard in client.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
    ]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    count, last = 0, time.monotonic()
    while not select.select([sys.stdin], [], [], 0)[0]:
        found = False
        for number, iterator in enumerate(iterators):
            answer = client.get_records(ShardIterator=iterator, Limit=1000)
            iterators[number] = answer["NextShardIterator"]
            for record in answer["Records"]:
                found = True
                count += 1
                if connection is not None:
                    _upsert(connection, record)
        if found:
            last = time.monotonic()
        else:
            time.sleep(_PAUSE_SECONDS)
    sys.stdout.write(json.dumps({"count": count, "last": last}) + "\n")


def _upsert(connection: Any, record: Mapping[str, Any]) -> None:
    item = record["dynamodb"]["NewImage"]
    visit = json.loads(item["payload"]["S"])
    at_ms = round(record["dynamodb"]["ApproximateCreationDateTime"].timestamp() * 1000)
    with connection.cursor() as cursor:
        cursor.execute(
            _UPSERT,
            (
                item["page_id"]["S"],
                item["activity_dt"]["S"],
                at_ms,
                visit["Hits"],
                visit["session"]["start_timestamp"],
                visit["session"]["stop_timestamp"],
                visit["device"]["location"]["country"],
            ),
        )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
