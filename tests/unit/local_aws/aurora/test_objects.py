import json

import pytest

from local_aws.aurora.errors import AuroraError
from local_aws.aurora.objects import Address, Entry, parse_manifest, parse_uri


def manifest(*entries, **others):
    return json.dumps({"entries": list(entries), **others}).encode()


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("s3://bucket/key", Address(None, "bucket", "key")),
        ("s3://bucket/a/b c+d%20'é", Address(None, "bucket", "a/b c+d%20'é")),
        ("s3://bucket//a", Address(None, "bucket", "/a")),
        ("s3-us-west-2://bucket/key", Address("us-west-2", "bucket", "key")),
    ],
)
def test_an_address_names_region_bucket_and_raw_key(uri, address):
    assert parse_uri(uri) == address


@pytest.mark.parametrize("uri", ["", "s3://bucket", "s3://bucket/", "s3:///key", "S3://bucket/key", "s3-://bucket/key"])
def test_anything_else_is_no_address(uri):
    with pytest.raises(AuroraError) as refused:
        parse_uri(uri)

    assert (refused.value.number, refused.value.message) == (1815, "Internal error: Unable to initialize S3Stream")


def test_an_entry_of_a_manifest_is_optional_unless_it_says_otherwise():
    body = manifest({"url": "s3://b/1"}, {"url": "s3-eu-west-1://b/2", "mandatory": True})

    assert parse_manifest(body) == [
        Entry(Address(None, "b", "1"), mandatory=False),
        Entry(Address("eu-west-1", "b", "2"), mandatory=True),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"\xff",
        b"[]",
        b"{}",
        b'{"entries": {}}',
        manifest(),
        manifest({"url": "s3://b/1"}, version=1),
        manifest({"url": "s3://b/1", "size": 3}),
        manifest({"mandatory": True}),
        manifest({"url": "s3://b/1", "mandatory": "true"}),
        manifest({"url": 1}),
        manifest({"url": ""}),
        manifest({"url": "s3://b/" + "k" * 1018}),
        manifest({"url": "s3://b/folder/"}),
        manifest({"url": "https://b/1"}),
        manifest({"url": "s3://b/1"}, {"url": "s3://b/1", "mandatory": True}),
        manifest("s3://b/1"),
    ],
)
def test_a_manifest_that_breaks_the_schema_is_refused(body):
    with pytest.raises(AuroraError, match="Invalid manifest: "):
        parse_manifest(body)


def test_a_url_may_be_as_long_as_aurora_allows():
    url = "s3://b/" + "k" * 1017

    assert parse_manifest(manifest({"url": url})) == [Entry(parse_uri(url), mandatory=False)]
