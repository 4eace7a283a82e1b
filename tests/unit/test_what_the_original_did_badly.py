"""
What the reference solution of 2017 did badly in its stream and transform functions, each with a test that it is mended.

Its loader's sins are tested where the loader is.
"""

import base64
import json
import os
import subprocess
import sys

import pytest
from builders import a_change, a_column, a_pipeline, a_stream_record

from ddb2aurora.dialect import decode_row
from ddb2aurora.envelope import decode_change, encode_change
from ddb2aurora.pipeline import dump_pipeline
from firehose_transformer.row_lines import RowLines
from firehose_transformer.transform import transform
from stream_processor.changes import MAX_RECORD_BYTES
from stream_processor.delivery import Delivery
from stream_processor.processor import process

THROTTLED = "ServiceUnavailableException"
NOW_MS = 1_767_790_000_000
VISIT = a_pipeline(
    source_key=("page_id", "activity_dt"),
    columns=[
        a_column("page_id", "varchar(100)"),
        a_column("activity_dt", "varchar(32)"),
        a_column("timestarted", "bigint", source="$changed_at_ms"),
        a_column("country", "varchar(100)"),
    ],
)


class Firehose:
    """Refuses the positions that *refusals* name call by call, then accepts everything; keeps what it accepted."""

    def __init__(self, *refusals):
        self.refusals = list(refusals)
        self.calls = []
        self.accepted = []

    def put(self, records):
        self.calls.append(len(records))
        refused = self.refusals.pop(0) if self.refusals else ()
        answer = [THROTTLED if position in refused else None for position in range(len(records))]
        self.accepted.extend(record for record, error in zip(records, answer, strict=True) if error is None)
        return answer


def forward(records, firehose, *, seconds=60.0):
    delivery = Delivery(firehose, seconds_left=lambda: seconds, sleep=lambda _: None, random=lambda: 0.99)
    report = process(records, pipeline=a_pipeline(), deliver=delivery.deliver, quarantine=None, now_ms=NOW_MS)
    return report.answer()


def transformed(*datas, pipeline=VISIT):
    records = [{"recordId": str(n), "data": base64.b64encode(data).decode()} for n, data in enumerate(datas)]
    return transform({"records": records}, RowLines(pipeline)).answer["records"]


def a_visit(country="DE", activity_dt="2026-01-01"):
    item = {"page_id": "home", "activity_dt": activity_dt, "country": country}
    return encode_change(a_change(item=item, key=("page_id", "activity_dt")))


def line_of(record):
    return base64.b64decode(record["data"])


@pytest.mark.parametrize("kind", ["MODIFY", "REMOVE"])
def test_updates_and_deletes_are_forwarded_and_not_only_inserts(kind):
    firehose = Firehose()

    forward([a_stream_record(kind=kind)], firehose)

    assert [decode_change(data) for data in firehose.accepted] == [a_change(kind=kind)]


def test_success_is_answered_only_after_firehose_has_confirmed_every_record():
    firehose = Firehose()

    answer = forward([a_stream_record(sequence_number=number) for number in range(3)], firehose)

    assert answer == {"batchItemFailures": []}
    assert [decode_change(data).sequence_number for data in firehose.accepted] == ["0", "1", "2"]


def test_no_success_is_answered_for_a_record_that_firehose_never_confirmed():
    always = [(1,)] + [(0,)] * 1000

    answer = forward([a_stream_record(sequence_number=number) for number in range(3)], Firehose(*always), seconds=0.05)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_refused_records_are_looked_at_and_sent_again():
    firehose = Firehose((0, 2), (1,))

    answer = forward([a_stream_record(sequence_number=number) for number in range(3)], firehose)

    assert answer == {"batchItemFailures": []}
    assert firehose.calls == [3, 2, 1]
    assert [decode_change(data).sequence_number for data in firehose.accepted] == ["1", "0", "2"]


def test_more_than_500_records_are_split_into_several_calls():
    firehose = Firehose()

    answer = forward([a_stream_record(sequence_number=number) for number in range(1200)], firehose)

    assert answer == {"batchItemFailures": []}
    assert firehose.calls == [500, 500, 200]


def test_more_than_4_mib_are_split_into_several_calls():
    firehose = Firehose()
    records = [a_stream_record(item={"id": str(n), "note": "x" * (MAX_RECORD_BYTES - 500)}) for n in range(6)]

    answer = forward(records, firehose)

    assert answer == {"batchItemFailures": []}
    assert firehose.calls == [4, 2]


def test_one_undecodable_record_does_not_fail_its_batch():
    records = transformed(a_visit(), b"\xff not a change", a_visit())

    assert [record["result"] for record in records] == ["Ok", "ProcessingFailed", "Ok"]


@pytest.mark.parametrize(
    "country",
    ["Saba, Statia", 'the "North"', "a\tb", "a\nb", "a\r\nb", "\\", "\\N", '\\"', '",', "NULL", "", " x "],
)
def test_a_comma_quote_tab_or_newline_in_a_value_does_not_shift_the_columns(country):
    [record] = transformed(a_visit(country))

    line = line_of(record)
    assert decode_row(line).fields == ("home", "2026-01-01", "1767700000000", country)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


_TRANSFORM_AGAIN = """
import json, sys
from firehose_transformer.row_lines import RowLines
from ddb2aurora.pipeline import parse_pipeline
from firehose_transformer.transform import transform
from firehose_transformer.row_lines import RowLines
given = json.load(sys.stdin)
pipeline = parse_pipeline(given["pipeline"].encode(), where="standard input")
print(json.dumps(transform(given["event"], RowLines(pipeline)).answer))
"""


def test_a_retry_gives_the_same_bytes_even_in_another_process():
    columns = [a_column("id", "varchar(10)"), a_column("all", "json", source="$item"), a_column("tags", "text")]
    pipeline = a_pipeline(columns=columns)
    change = encode_change(a_change(item={"id": "a", "tags": {"x", "y", "z"}, "numbers": {1, 2, 3}, "map": {"k": "v"}}))
    event = {"records": [{"recordId": "1", "data": base64.b64encode(change).decode()}]}
    given = json.dumps({"pipeline": dump_pipeline(pipeline).decode(), "event": event})

    answers = [
        subprocess.run(
            [sys.executable, "-c", _TRANSFORM_AGAIN],
            input=given,
            env={"PYTHONHASHSEED": seed, "TZ": zone},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed, zone in [("1", "UTC"), ("2", "Asia/Kathmandu"), ("3", "America/Caracas")]
    ]

    assert len(set(answers)) == 1
    assert json.loads(answers[0])["records"][0]["result"] == "Ok"


def test_the_time_in_a_row_is_that_of_the_change_and_not_that_of_the_transform():
    [record] = transformed(a_visit())

    row = decode_row(line_of(record))
    assert row.changed_at_ms == 1_767_700_000_000
    assert row.fields[2] == "1767700000000"


def test_both_attributes_of_a_composite_key_reach_the_row_so_a_second_visit_is_no_duplicate():
    records = transformed(a_visit(activity_dt="2026-01-01"), a_visit(activity_dt="2026-01-02"))

    keys = [decode_row(line_of(record)).fields[:2] for record in records]
    assert keys == [("home", "2026-01-01"), ("home", "2026-01-02")]


# No network, no environment, no client: whatever touches one of them while it is imported fails here.
_IMPORT_IN_A_BARE_WORLD = """
import importlib, os, socket, sys

def refuse(*_, **__):
    raise AssertionError("at import, nothing connects, makes a client or reads the environment")

class Sealed(dict):
    __getitem__ = get = __contains__ = __iter__ = keys = items = copy = refuse

module = sys.argv[1]
# Other people's modules read the environment as they are imported; that is theirs to do, and done first.
import boto3, pymysql, jsonschema, botocore.config, botocore.session
boto3.client = boto3.resource = boto3.Session = refuse
socket.socket.connect = socket.create_connection = pymysql.connect = refuse
os.environ = Sealed()
os.getenv = refuse
handler = importlib.import_module(module).handler
assert callable(handler)
print("imported")
"""


@pytest.mark.parametrize("stage", ["stream_processor", "firehose_transformer", "aurora_loader"])
def test_importing_a_handler_makes_no_client_and_reads_no_environment(stage):
    ran = subprocess.run(
        [sys.executable, "-c", _IMPORT_IN_A_BARE_WORLD, f"{stage}.handler"],
        env={},
        cwd=os.sep,
        check=False,
        capture_output=True,
        text=True,
    )

    assert (ran.stdout, ran.stderr) == ("imported\n", "")
