from datetime import UTC, datetime, timedelta

from aurora_loader.events import announcements_in
from ddb2aurora.database.ledger import ObjectRef
from operator_cli.sweeping import announcement_of, missing, objects_under

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


class FakeS3:
    """A bucket whose listing has the given pages."""

    def __init__(self, *pages):
        self.pages = [{"Versions": list(page)} if page else {} for page in pages]

    def get_paginator(self, operation):
        assert operation == "list_object_versions"
        return self

    def paginate(self, **arguments):
        assert arguments == {"Bucket": "bucket", "Prefix": "processed/"}
        return self.pages


def an_entry(key, **parts):
    return {"Key": key, "VersionId": "null", "ETag": '"e1"', "Size": 3, "LastModified": NOON, **parts}


def listed(*pages, **arguments):
    return list(objects_under(FakeS3(*pages), bucket="bucket", prefix="processed/", **arguments))


def test_a_listing_and_an_event_give_an_object_the_same_identity():
    [ref] = listed([an_entry("processed/a b+ü&/x.csv")], region="eu-central-1")

    [announcement] = announcements_in(announcement_of(ref))

    assert announcement.objects == (ref,)
    assert ref == ObjectRef("bucket", "processed/a b+ü&/x.csv", etag="e1", size=3, region="eu-central-1")


def test_each_version_of_a_key_is_an_object():
    versions = listed([an_entry("k", VersionId="v1")], [], [an_entry("k", VersionId="v2")])

    assert [ref.version for ref in versions] == ["v1", "v2"]
    assert [found.objects[0] for ref in versions for found in announcements_in(announcement_of(ref))] == versions


def test_an_object_that_is_too_young_is_left_to_its_own_event():
    young, old = an_entry("young", LastModified=NOON + timedelta(seconds=1)), an_entry("old")

    assert [ref.key for ref in listed([young, old], before=NOON + timedelta(seconds=1))] == ["old"]


def test_what_the_ledger_holds_is_not_missing():
    first, second = listed([an_entry("a"), an_entry("b")])

    assert list(missing(iter([first, second]), loaded={first.object_id})) == [second]
