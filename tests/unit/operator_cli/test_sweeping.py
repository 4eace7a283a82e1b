from datetime import UTC, datetime, timedelta

from aurora_loader.events import announcements_in
from ddb2aurora.database.ledger import ObjectRef
from operator_cli.sweeping import Looked, announcement_of, folders_under, lacking, objects_under

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


class FakeS3:
    """A bucket whose listing has the given pages."""

    def __init__(self, *pages):
        self.pages = [{"Versions": list(page)} if page else {} for page in pages]
        self.asked = []

    def get_paginator(self, operation):
        assert operation == "list_object_versions"
        return self

    def paginate(self, **arguments):
        self.asked.append(arguments)
        return self.pages


class FakeLedger:
    """A database whose ledger holds the given objects; it notes how many it is asked for at once."""

    def __init__(self, *refs):
        self._ids = {ref.object_id for ref in refs}
        self.asked = []

    def cursor(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Close it."""

    def execute(self, statement, arguments):
        assert statement.startswith("SELECT object_id FROM `Demo`.`_ddb2aurora_loads` WHERE object_id IN (")
        self.asked.append(len(arguments))
        self._found = [(object_id,) for object_id in arguments if object_id in self._ids]

    def fetchall(self):
        return self._found


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


def test_what_is_too_young_is_counted():
    looked = Looked()

    found = listed([an_entry("a"), an_entry("b", LastModified=NOON - timedelta(1))], before=NOON, looked=looked)

    assert ([ref.key for ref in found], looked) == (["b"], Looked(seen=2, young=1, newest=NOON))


def test_a_listing_begins_after_a_key():
    s3 = FakeS3([an_entry("processed/b")])

    list(objects_under(s3, bucket="bucket", prefix="processed/", after="processed/a"))

    assert s3.asked == [{"Bucket": "bucket", "Prefix": "processed/", "KeyMarker": "processed/a"}]


def test_the_folders_of_a_prefix_are_its_tables():
    class Folders:
        def get_paginator(self, operation):
            assert operation == "list_objects_v2"
            return self

        def paginate(self, **arguments):
            assert arguments == {"Bucket": "bucket", "Prefix": "processed/x/", "Delimiter": "/"}
            return [{"CommonPrefixes": [{"Prefix": "processed/x/A/"}]}, {}]

    assert folders_under(Folders(), bucket="bucket", prefix="processed/x/") == ("processed/x/A/",)


def test_what_the_ledger_holds_is_not_lacking():
    first, second = listed([an_entry("a"), an_entry("b")])

    assert list(lacking([first, second], connection=FakeLedger(first), database="Demo")) == [second]


def test_the_ledger_is_asked_for_some_objects_at_a_time():
    refs = listed([an_entry(f"{number:04}") for number in range(1201)])
    ledger = FakeLedger(*refs[:-1])

    assert list(lacking(iter(refs), connection=ledger, database="Demo")) == refs[-1:]
    assert ledger.asked == [500, 500, 201]


def test_an_object_is_listed_before_the_ledger_is_asked():
    ledger = FakeLedger()
    listing = iter(listed([an_entry("a")]))

    def loaded_meanwhile():
        for ref in listing:
            yield ref
            ledger.__init__(ref)

    assert list(lacking(loaded_meanwhile(), connection=ledger, database="Demo")) == []
