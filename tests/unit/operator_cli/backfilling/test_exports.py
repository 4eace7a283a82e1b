"""What is taken for an export, and what is refused before a row is written."""

import json

import pytest
from builders import a_pipeline
from fake_export import URL, FakeExport, FakeS3

from operator_cli.aws import AwsCallError
from operator_cli.backfilling.errors import ExportError, NoStreamError
from operator_cli.backfilling.exports import DataFile, Export, ExportPlace, check_export, place_of, read_export

_PLACE = place_of(URL)
_AT_MS = 1_764_000_000_123


def an_export(**parts):
    return Export(**{"place": _PLACE, "table": "things", "at_ms": 1000, "items": 0, "files": (), **parts})


def read(export):
    return read_export(export.s3, _PLACE)


@pytest.mark.parametrize("ending", ["", "/", "/manifest-summary.json"])
def test_a_place_has_one_form_however_it_is_written(ending):
    place = place_of(f"s3://bucket/a/AWSDynamoDB/01{ending}")

    assert (place, place.url) == (ExportPlace("bucket", "a/AWSDynamoDB/01"), "s3://bucket/a/AWSDynamoDB/01/")


@pytest.mark.parametrize("url", ["", "bucket/a", "s3://bucket", "s3://bucket/", "https://bucket.s3.amazonaws.com/a"])
def test_what_is_no_place_is_refused_with_an_example(url):
    with pytest.raises(ExportError, match="s3://bucket/prefix/AWSDynamoDB/"):
        place_of(url)


def test_the_manifests_tell_table_time_and_files():
    export = FakeExport([{"id": "a"}, {"id": "b"}], [{"id": "c"}], at="2025-11-24T16:00:00.123Z")

    found = read(export)

    assert (found.table, found.at_ms, found.items) == ("things", _AT_MS, 3)
    assert [(file.key, file.items) for file in found.files] == [(export.key(0), 2), (export.key(1), 1)]


def test_the_order_of_the_files_is_that_of_their_keys_whatever_the_manifest_says():
    export = FakeExport([], [], [])
    lines = export.s3.objects[export.files_key].splitlines(keepends=True)
    export.manifest("manifest-files", b"".join(reversed(lines)))

    assert [file.key for file in read(export).files] == [export.key(number) for number in range(3)]


def test_a_checksum_in_hexadecimal_digits_is_taken_as_well():
    export = FakeExport([])
    export.manifest("manifest-summary", export.s3.objects[export.summary_key], hexadecimal=True)

    assert read(export).items == 0


@pytest.mark.parametrize("missing", ["manifest-summary.json", "manifest-summary.md5", "manifest-files.json"])
def test_an_export_without_a_manifest_is_none_or_not_finished(missing):
    export = FakeExport([])
    del export.s3.objects[f"{_PLACE.prefix}/{missing}"]

    with pytest.raises(ExportError, match="holds no finished export that can be read"):
        read(export)


@pytest.mark.parametrize("changed", ["summary_key", "files_key"])
def test_a_manifest_that_was_changed_is_refused(changed):
    export = FakeExport([])
    export.s3.objects[getattr(export, changed)] += b" "

    with pytest.raises(ExportError, match="its MD5 is another"):
        read(export)


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"exportType": "INCREMENTAL_EXPORT"}, "incremental export, whose changes have no sequence number"),
        ({"outputFormat": "ION"}, "the format is ION; export as DYNAMODB_JSON"),
        ({"outputFormat": ""}, "the format is not named"),
        ({"itemCount": 7}, "speaks of 7 items and its files of 1"),
        ({"tableArn": "things"}, "names no table"),
        ({"exportTime": None}, "names no table or no time"),
        ({"exportTime": "today"}, "exportTime is no time"),
        ({"tableArn": None}, "is no manifest of an export"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused_with_the_reason(parts, error):
    with pytest.raises(ExportError, match=error):
        read(FakeExport([{"id": "a"}], summary=parts))


@pytest.mark.parametrize("garbage", [b"{", b"[]", b"\xff", b'{"itemCount": "x"}\n'])
@pytest.mark.parametrize("name", ["manifest-summary", "manifest-files"])
def test_garbage_is_no_manifest(name, garbage):
    export = FakeExport([])
    export.manifest(name, garbage)

    with pytest.raises(ExportError, match=r"ValidationError|DecodeError|UnicodeDecodeError"):
        read(export)


def test_a_bucket_that_does_not_answer_may_later():
    export = FakeExport([])
    export.s3.fails_with = "SlowDown"

    with pytest.raises(AwsCallError):
        read(export)


def check(export, *, stream_began_ms=0, horizon_ms=0):
    check_export(export, a_pipeline(), stream_began_ms=stream_began_ms, horizon_ms=horizon_ms)


def test_an_export_of_the_moment_in_which_the_stream_began_will_do():
    check(an_export(at_ms=1000), stream_began_ms=1000, horizon_ms=1000)


def test_an_export_from_before_the_stream_is_refused_since_changes_in_between_are_lost():
    with pytest.raises(NoStreamError, match="what changed in between is in neither"):
        check(an_export(at_ms=1000), stream_began_ms=1001)


def test_an_export_from_before_the_horizon_is_refused_since_deleted_rows_could_come_back():
    with pytest.raises(ExportError, match="deleted rows could come back"):
        check(an_export(at_ms=1000), horizon_ms=1001)


def test_an_export_of_another_table_is_refused():
    with pytest.raises(ExportError, match="is an export of table others, and pipeline things reads things"):
        check(an_export(table="others"))


def test_a_file_is_told_from_another_by_all_that_the_manifest_says_of_it():
    found = read(FakeExport([{"id": "a"}]))

    assert found.files == (DataFile(found.files[0].key, found.files[0].md5, 1),)


def test_fields_that_are_not_known_are_left_alone():
    export = FakeExport([])
    summary = json.loads(export.s3.objects[export.summary_key]) | {"newField": {"x": 1}}
    export.manifest("manifest-summary", json.dumps(summary).encode())

    assert read(export).items == 0


def test_nothing_is_read_but_the_two_manifests():
    export = FakeExport([{"id": "a"}])

    read(export)

    assert isinstance(export.s3, FakeS3)
    assert all("manifest-" in key for key in export.s3.read)
