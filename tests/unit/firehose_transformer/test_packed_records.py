"""A record that holds many changes: each of them is decided as if it had come alone, and none is lost."""

import base64
import io
import json
import logging

import pytest
from builders import a_change, a_column, a_pipeline
from hypothesis import given
from hypothesis import strategies as st

from ddb2aurora.dialect import encode_row
from ddb2aurora.envelope import decode_change, encode_change, lines_of
from ddb2aurora.errors import Reason, RejectError
from ddb2aurora.failed import FailedRecord, decode_failed
from ddb2aurora.logs import JsonFormatter, get_logger
from ddb2aurora.mapping import Mapper
from ddb2aurora.metrics import Metrics
from firehose_transformer.app import App
from firehose_transformer.aws import NoBucket, NotKeptError
from firehose_transformer.row_lines import RowLines
from firehose_transformer.transform import transform

NOW_MS = 1_767_790_000_000
ARRIVAL_MS = 1_764_000_000_123
HOUR = "2025/11/24/16"
COLUMNS = [a_column("id", "varchar(10)"), a_column("n", "int"), a_column("text", "text")]
PIPELINE = a_pipeline(on_ttl_delete="keep", packing=True, columns=COLUMNS)
MAPPER = Mapper(PIPELINE)
ROW_LINES = RowLines(PIPELINE)
FAILED = {"result": "ProcessingFailed", "data": ""}


def good(number=1, **members):
    return encode_change(a_change(item={"id": "a", "n": number} | members, sequence_number=number))


def misfit(number=1):
    return encode_change(a_change(item={"id": "secret", "n": 2**31}, sequence_number=number))


def expired(number=1):
    return encode_change(a_change(kind="REMOVE", by_ttl=True, sequence_number=number))


UNDECODABLE = b'{"v":1,"event":"INS\n'
UNKNOWN = good().replace(b'"v":1', b'"v":2')


def rows_of(*lines):
    return b"".join(encode_row(MAPPER.row(decode_change(line))) for line in lines)


def record(*lines, record_id="1", arrival_ms=ARRIVAL_MS):
    return {
        "recordId": record_id,
        "approximateArrivalTimestamp": arrival_ms,
        "data": base64.b64encode(b"".join(lines)).decode(),
    }


def told(answer):
    return [(given["recordId"], given["result"], base64.b64decode(given["data"])) for given in answer["records"]]


class FakeQuarantine:
    """Keeps objects; refuses keys that contain *down*."""

    def __init__(self, *, down="never"):
        self.objects = {}
        self.writes = []
        self.down = down

    def write(self, key, content):
        if self.down in key:
            raise NotKeptError("PutObject failed with AccessDenied")
        self.writes.append(key)
        self.objects[key] = content

    @property
    def failed(self):
        return [found for content in self.objects.values() for found in decode_failed(content)]


class Running:
    """An App, and what it wrote."""

    def __init__(self, quarantine=None, row_lines=ROW_LINES):
        self.quarantine = quarantine or FakeQuarantine()
        self._told = io.StringIO()
        metrics = Metrics(stage="firehose-transformer", pipeline="things", clock_ms=lambda: 1, stream=self._told)
        self._app = App(row_lines, metrics, self.quarantine, pipeline="things")

    def handle(self, *records, now_ms=NOW_MS):
        return told(self._app.handle({"records": list(records)}, now_ms=now_ms))

    @property
    def metrics(self):
        line = json.loads(self._told.getvalue().splitlines()[-1])
        return {name: line[name] for name in line if name.startswith(("Records", "Changes"))}


@pytest.fixture
def log():
    text = io.StringIO()
    writer = logging.StreamHandler(text)
    writer.setFormatter(JsonFormatter())
    logger = get_logger("firehose-transformer")
    logger.addHandler(writer)
    yield lambda: [json.loads(line) for line in text.getvalue().splitlines()]
    logger.removeHandler(writer)


def test_a_record_of_many_changes_becomes_one_answer_of_many_lines_in_their_order():
    lines = [good(3), good(1), good(2)]

    running = Running()

    assert running.handle(record(*lines)) == [("1", "Ok", rows_of(*lines))]
    assert running.quarantine.objects == {}


def test_whether_the_pipeline_itself_packs_does_not_matter():
    event = {"records": [record(good(1), good(2)), record(good(3), record_id="2")]}
    packing, plain = (RowLines(a_pipeline(packing=packs, columns=COLUMNS)) for packs in (True, False))

    assert transform(event, packing).answer == transform(event, plain).answer


@pytest.mark.parametrize(
    ("bad", "reason"), [(misfit(2), "misfit"), (UNDECODABLE, "undecodable"), (UNKNOWN, "unknown_format")]
)
def test_a_change_that_fails_is_kept_with_its_reason_and_costs_its_neighbours_nothing(bad, reason):
    running = Running()

    answer = running.handle(record(good(1), bad, good(3)))

    assert answer == [("1", "Ok", rows_of(good(1), good(3)))]
    [key] = running.quarantine.objects
    assert key.startswith(f"failed/things/processing-failed/{HOUR}/")
    [found] = running.quarantine.failed
    assert found.error_message.startswith(reason)
    assert found == FailedRecord(
        attempts_made=1,
        arrival_timestamp=ARRIVAL_MS,
        error_code=reason,
        error_message=found.error_message,
        attempt_ending_timestamp=NOW_MS,
        raw_data=bad,
    )


def test_what_is_kept_can_be_put_again_as_a_record_of_its_own():
    running = Running()
    running.handle(record(good(1), misfit(2)))

    [found] = running.quarantine.failed

    wider = RowLines(a_pipeline(columns=[COLUMNS[0], a_column("n", "bigint")]))
    assert [given["result"] for given in transform({"records": [record(found.raw_data)]}, wider).answer["records"]] == [
        "Ok"
    ]


def test_a_record_is_dropped_only_when_nothing_is_left_and_nothing_was_rejected():
    running = Running()

    answer = running.handle(
        record(expired(1), expired(2), record_id="all expired"),
        record(expired(1), good(2), record_id="one left"),
        record(expired(1), misfit(2), record_id="none left"),
    )

    assert answer == [
        ("all expired", "Dropped", b""),
        ("one left", "Ok", rows_of(good(2))),
        ("none left", "ProcessingFailed", b""),
    ]


def test_a_record_of_which_nothing_goes_on_is_left_to_firehose_as_it_is():
    running = Running()

    answer = running.handle(record(misfit(1), misfit(2), UNDECODABLE))

    assert answer == [("1", "ProcessingFailed", b"")]
    assert running.quarantine.objects == {}
    assert running.metrics["RecordsRejected"] == 3


def test_the_same_event_writes_the_same_object_again_whenever_it_is_tried_again():
    running = Running()
    records = [record(good(1), misfit(2)), record(misfit(3), good(4), record_id="2")]

    for now_ms in (NOW_MS, NOW_MS + 3_600_000):
        running.handle(*records, now_ms=now_ms)

    assert len(running.quarantine.writes) == 2
    assert len(running.quarantine.objects) == 1
    assert len(running.quarantine.failed) == 2


def test_the_same_changes_in_another_record_are_another_object():
    running = Running()

    running.handle(record(good(1), misfit(2)))
    running.handle(record(good(1), misfit(2), record_id="2"))

    assert len(running.quarantine.objects) == 2


def test_the_hour_of_a_reject_is_that_in_which_its_record_arrived():
    running = Running()
    hour_later = ARRIVAL_MS + 3_600_000

    running.handle(record(good(1), misfit(2)), record(good(1), misfit(2), record_id="2", arrival_ms=hour_later))

    assert sorted(key.rsplit("/", 1)[0] for key in running.quarantine.objects) == [
        "failed/things/processing-failed/2025/11/24/16",
        "failed/things/processing-failed/2025/11/24/17",
    ]


@pytest.mark.parametrize("arrival_ms", [None, "soon", -1, 10**20, 1.5])
def test_a_record_without_a_time_of_arrival_is_filed_under_1970(arrival_ms):
    running = Running()

    running.handle(record(good(1), misfit(2), arrival_ms=arrival_ms))

    [key] = running.quarantine.objects
    assert key.startswith("failed/things/processing-failed/1970/01/01/00/")


def test_records_whose_rejects_cannot_be_kept_are_handed_back_whole_and_the_others_are_not(log):
    running = Running(FakeQuarantine(down=HOUR))
    hour_later = ARRIVAL_MS + 3_600_000

    answer = running.handle(
        record(good(1), good(2), record_id="clean"),
        record(good(1), misfit(2), expired(3), record_id="lost"),
        record(good(1), misfit(2), record_id="kept", arrival_ms=hour_later),
    )

    assert answer == [
        ("clean", "Ok", rows_of(good(1), good(2))),
        ("lost", "ProcessingFailed", b""),
        ("kept", "Ok", rows_of(good(1))),
    ]
    assert len(running.quarantine.failed) == 1
    assert running.metrics == {
        "RecordsReceived": 3,
        "ChangesUnpacked": 7,
        "RecordsTransformed": 3,
        "RecordsRejected": 4,
        "RecordsDropped": 0,
    }
    entry = log()[-1]
    assert (entry["message"], entry["level"], entry["records"]) == (
        "rejects not kept, their records are handed back whole",
        "ERROR",
        1,
    )


def test_without_a_bucket_a_record_with_rejects_is_handed_back_whole_and_the_log_says_what_to_set(log):
    answer = Running(NoBucket()).handle(record(good(1), misfit(2)), record(good(3), good(4), record_id="2"))

    assert answer == [("1", "ProcessingFailed", b""), ("2", "Ok", rows_of(good(3), good(4)))]
    assert "set it to the bucket" in log()[-1]["reason"]


def test_each_change_is_counted_as_transformed_dropped_or_rejected():
    running = Running()

    running.handle(record(good(1), misfit(2), good(3), expired(4), UNDECODABLE), record(b"garbage\n\n", record_id="2"))

    assert running.metrics == {
        "RecordsReceived": 2,
        "ChangesUnpacked": 6,
        "RecordsTransformed": 2,
        "RecordsRejected": 3,
        "RecordsDropped": 1,
    }


def test_a_rejection_is_logged_with_its_line_and_without_its_value(log):
    running = Running()

    running.handle(record(good(1), misfit(2)))

    [entry] = log()
    assert (entry["message"], entry["record_ids"], entry["lines"], entry["changes"]) == (
        "records rejected",
        ["1"],
        [2],
        1,
    )
    assert "secret" not in json.dumps(entry)
    assert "secret" not in running.quarantine.failed[0].error_message


def test_a_defect_met_by_one_change_keeps_it_and_costs_no_other_its_place():
    class Defective(Mapper):
        def row(self, change):
            if change.sequence_number == "2":
                raise ZeroDivisionError("secret value of the item")
            return super().row(change)

    running = Running(row_lines=RowLines(PIPELINE, mapper=Defective(PIPELINE)))

    answer = running.handle(record(good(1), good(2), good(3)))

    assert answer == [("1", "Ok", rows_of(good(1), good(3)))]
    assert [(found.error_code, found.error_message) for found in running.quarantine.failed] == [
        ("unexpected", "unexpected: ZeroDivisionError")
    ]


def test_a_packed_record_that_does_not_fit_the_answer_is_handed_back_whole_and_its_rejects_are_not_kept_twice():
    lines = [good(number, text="x" * 300) for number in range(3)]
    event = {"records": [record(*lines, misfit(9)), record(good(4), record_id="2")]}

    done = transform(event, ROW_LINES, max_answer_bytes=700)

    assert told(done.answer) == [("1", "ProcessingFailed", b""), ("2", "Ok", rows_of(good(4)))]
    assert [(found.error.reason, found.changes) for found in done.others[0].rejections] == [
        (Reason.ANSWER_TOO_LARGE, 4)
    ]
    assert not done.others[0].has_rejects


KINDS = {
    "good": good,
    "long": lambda number: good(number, text="é" * (100 * number % 700)),
    "delete": lambda number: encode_change(a_change(kind="REMOVE", sequence_number=number)),
    "expired": expired,
    "misfit": misfit,
    "undecodable": lambda _: UNDECODABLE,
    "unknown": lambda _: UNKNOWN,
}
batches = st.lists(st.lists(st.sampled_from([*KINDS]), min_size=1, max_size=6), max_size=5)


def expected_of(line):
    """Return the row of a change that comes alone; None if it leaves no trace, its reason if it fails."""
    try:
        row = MAPPER.row(decode_change(line))
    except RejectError as error:
        return error.reason
    return None if row is None else encode_row(row)


@given(batches=batches, limit=st.integers(0, 4000), down=st.booleans())
def test_however_changes_are_packed_each_is_its_row_or_kept_or_handed_back_with_its_record(batches, limit, down):
    lines = [[KINDS[kind](place + 1) for place, kind in enumerate(batch)] for batch in batches]
    records = [record(*packed, record_id=str(place)) for place, packed in enumerate(lines)]
    quarantine = FakeQuarantine(down="failed/" if down else "never")
    running = Running(quarantine)

    answer = told(transform({"records": records}, ROW_LINES, max_answer_bytes=limit).answer)
    whole = running.handle(*records)

    for given_answer in (answer, whole):
        for packed, (_, result, data) in zip(lines, given_answer, strict=True):
            rows = [row for row in map(expected_of, packed) if isinstance(row, bytes)]
            if result != "ProcessingFailed":
                assert data == b"".join(rows)
                assert (result == "Dropped") == (not rows)
    handed_back = [
        line
        for packed, (_, result, _) in zip(lines, whole, strict=True)
        for line in packed
        if result == "ProcessingFailed"
    ]
    kept = [found.raw_data for found in quarantine.failed]
    rows = b"".join(data for *_, data in whole).count(b"\n")
    dropped = running.metrics["RecordsDropped"]
    assert running.metrics["RecordsRejected"] == len(handed_back) + len(kept)
    assert rows + dropped + len(handed_back) + len(kept) == sum(map(len, lines)) == running.metrics["ChangesUnpacked"]
    alone = [(line, reason) for packed in lines for line in packed if isinstance(reason := expected_of(line), Reason)]
    assert all(line in [*kept, *handed_back] for line, _ in alone)
    assert all(found.error_code in Reason.__members__.values() for found in quarantine.failed)
    for found in quarantine.failed:
        assert (found.raw_data, Reason(found.error_code)) in alone


@given(st.lists(st.sampled_from(["good", "long", "delete"]), min_size=1, max_size=12), st.data())
def test_packed_rows_are_the_unpacked_rows_for_any_batching(kinds, data):
    lines = [KINDS[kind](place + 1) for place, kind in enumerate(kinds)]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(lines)))))
    parts = [lines[start:end] for start, end in zip([0, *cuts], [*cuts, len(lines)], strict=True) if start < end]

    packed = told(transform({"records": [record(*part) for part in parts]}, ROW_LINES).answer)
    unpacked = told(transform({"records": [record(line) for line in lines]}, ROW_LINES).answer)

    assert b"".join(rows for *_, rows in packed) == b"".join(rows for *_, rows in unpacked)
    assert [line for part in parts for line in lines_of(b"".join(part))] == lines
