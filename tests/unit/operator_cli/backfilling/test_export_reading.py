"""The items of an export's files, and what is refused in them."""

import gzip
import json

import pytest
from builders import a_pipeline
from fake_export import URL, FakeExport

from ddb2aurora.pipeline import KeyPart
from operator_cli.aws import AwsSetUpError
from operator_cli.backfilling.errors import ExportError
from operator_cli.backfilling.export_reading import ExportReading
from operator_cli.backfilling.exports import place_of, read_export

_MANY = [{"id": f"{number:05}", "n": number} for number in range(2500)]


def a_reading(export, pipeline=None, key_types=None):
    found = read_export(export.s3, place_of(URL))
    return ExportReading(export.s3, found, pipeline or a_pipeline(), key_types=key_types or {"id": "S"})


def ids_of(portions):
    return [item["id"]["S"] for portion in portions for item in portion.items]


def test_every_item_of_a_file_is_read_and_the_last_portion_says_so():
    reading = a_reading(FakeExport(_MANY))

    portions = list(reading.portions(0, resume_at=None))

    assert ids_of(portions) == [item["id"] for item in _MANY]
    assert [portion.resume_at for portion in portions] == [{"line": 1000}, {"line": 2000}, None]


@pytest.mark.parametrize("line", [1, 999, 1000, 1001, 2000, 2499, 2500])
def test_a_file_is_gone_on_with_behind_any_line(line):
    reading = a_reading(FakeExport(_MANY))

    portions = list(reading.portions(0, resume_at={"line": line}))

    assert ids_of(portions) == [item["id"] for item in _MANY[line:]]
    assert portions[-1].resume_at is None


def test_a_file_of_a_partition_without_items_has_one_empty_portion():
    assert [portion.items for portion in a_reading(FakeExport([])).portions(0, resume_at=None)] == [()]


def test_a_number_of_items_that_fills_the_last_portion_ends_with_an_empty_one():
    portions = list(a_reading(FakeExport(_MANY[:1000])).portions(0, resume_at=None))

    assert [(len(portion.items), portion.resume_at) for portion in portions] == [(1000, {"line": 1000}), (0, None)]


def test_binary_is_in_the_form_that_a_stream_has():
    [portion] = a_reading(FakeExport([{"id": "a", "b": b"\0\1"}])).portions(0, resume_at=None)

    assert portion.items[0]["b"] == {"B": "AAE="}


def test_the_item_that_is_kept_for_heartbeats_is_no_part_of_the_data():
    pipeline = a_pipeline(heartbeat=[KeyPart(attribute="id", kind="S", value="beat")])

    portions = a_reading(FakeExport([{"id": "a"}, {"id": "beat"}]), pipeline).portions(0, resume_at=None)

    assert ids_of(portions) == ["a"]


def test_all_items_were_there_at_the_time_of_the_export():
    assert a_reading(FakeExport([], at="2025-11-24T16:00:00.123Z")).read_at_ms == 1_764_000_000_123


def failing(export, error, **parts):
    with pytest.raises(ExportError, match=error):
        list(a_reading(export, **parts).portions(0, resume_at=None))


def test_a_file_that_was_changed_is_refused_before_an_item_of_it_is_used():
    export = FakeExport(_MANY)
    export.s3.objects[export.key(0)] = gzip.compress(b'{"Item": {"id": {"S": "other"}}}\n')
    reading = a_reading(export)

    with pytest.raises(ExportError, match="its MD5 is not the manifest's"):
        next(reading.portions(0, resume_at=None))


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b'{"Item": {}}\n' * 5)[:-12], b"\x1f\x8b\x08"],
    ids=["nothing", "no gzip", "its end is missing", "its head alone"],
)
def test_a_file_that_is_no_whole_gzip_is_refused(content):
    export = FakeExport([{"id": "a"}])
    export.replace_file(0, content)

    failing(export, r"is no whole gzip file|has 0 items, and the manifest says 1")


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b'{"Keys": {}}', b'{"Item": 1}', b'{"Item": {}, "Old": {}}', b"\xff", b""]
)
def test_a_line_that_is_no_item_is_refused_with_its_number(line):
    export = FakeExport([{"id": "a"}, {"id": "b"}])
    export.replace_file(0, gzip.compress(b'{"Item": {"id": {"S": "a"}}}\n' + line + b"\n"))

    failing(export, r"file00\.json\.gz, line 2 is no item")


@pytest.mark.parametrize("item", [{"other": {"S": "a"}}, {"id": {"N": "1"}}, {"id": 5}])
def test_an_item_without_the_table_s_key_is_one_of_another_table(item):
    export = FakeExport([{"id": "a"}])
    export.replace_file(0, gzip.compress(json.dumps({"Item": item}).encode() + b"\n"))

    failing(export, r"line 1 has no key attribute id of type S: the export is not one of table things")


@pytest.mark.parametrize("items", [1, 3])
def test_another_number_of_items_than_the_manifest_says_is_refused(items):
    export = FakeExport([{"id": "a"}, {"id": "b"}])
    export.replace_file(0, gzip.compress(b'{"Item": {"id": {"S": "a"}}}\n' * items))

    failing(export, f"has {items} items, and the manifest says 2")


def test_no_value_of_an_item_stands_in_an_error():
    export = FakeExport([{"id": "a"}])
    export.replace_file(0, gzip.compress(b'{"Item": {"id": {"S": "secret"}} oops\n'))

    with pytest.raises(ExportError) as caught:
        list(a_reading(export).portions(0, resume_at=None))

    assert "secret" not in str(caught.value)


def test_a_file_that_is_gone_needs_someone():
    export = FakeExport([{"id": "a"}])
    reading = a_reading(export)
    del export.s3.objects[export.key(0)]

    with pytest.raises(AwsSetUpError, match="it was deleted, or never written"):
        list(reading.portions(0, resume_at=None))


def test_it_costs_no_read_units():
    reading = a_reading(FakeExport([]))
    reading.hurry()

    assert reading.take_spent() == 0.0
