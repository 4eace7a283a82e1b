"""Which objects are loaded together, and what their manifest says."""

import json

import botocore.exceptions
import pytest

from aurora_loader.manifests import Manifests, ManifestUnwritableError, bundles
from ddb2aurora.database.ledger import ObjectRef

LARGE = 100 * 2**20


def a_ref(key, **parts):
    return ObjectRef(**{"bucket": "b", "key": key, "etag": "e", "size": 10, "region": "eu-west-1", **parts})


def bundled(*refs):
    return [{ref.key for ref in bundle} for bundle in bundles(refs)]


def test_objects_of_one_bucket_are_one_bundle_in_an_order_that_all_loaders_share():
    refs = [a_ref(f"{number}.csv") for number in range(5)]

    (bundle,) = bundles(refs)
    (again,) = bundles(refs[::-1])

    assert set(bundle) == set(refs)
    assert again == bundle


def test_an_object_that_is_announced_twice_is_listed_once():
    assert bundled(a_ref("a"), a_ref("a"), a_ref("b")) == [{"a", "b"}]


def test_a_single_object_is_no_bundle():
    assert bundled(a_ref("a")) == []
    assert bundled(a_ref("a"), a_ref("a")) == []


def test_each_bucket_has_bundles_of_its_own():
    assert bundled(
        a_ref("a"), a_ref("b", bucket="other"), a_ref("c"), a_ref("d", bucket="other"), a_ref("e", bucket="x")
    ) in (
        [{"a", "c"}, {"b", "d"}],
        [{"b", "d"}, {"a", "c"}],
    )


@pytest.mark.parametrize("parts", [{"size": None}, {"key": "k" * 1024}], ids=["unknown size", "too long a name"])
def test_what_a_manifest_cannot_hold_is_left_to_be_loaded_alone(parts):
    assert bundled(a_ref("a"), a_ref("b"), a_ref(**{"key": "c", **parts})) == [{"a", "b"}]


def test_a_bundle_is_no_larger_than_the_largest_object():
    assert bundled(*(a_ref(key, size=LARGE) for key in "abc")) == []
    assert sorted(map(len, bundled(*(a_ref(key, size=LARGE // 2) for key in "abcd")))) == [2, 2]


class FakeS3:
    def __init__(self, error=None):
        self.error = error
        self.written = []

    def put_object(self, **request):
        self.written.append(request)
        if self.error is not None:
            raise self.error


def test_a_manifest_names_each_object_and_none_may_be_missing():
    s3 = FakeS3()
    refs = (a_ref("a b+é.csv"), a_ref("c.csv", region=None))

    first = Manifests(s3, pipeline="things").write(refs)
    again = Manifests(s3, pipeline="things").write(refs)

    request, _ = s3.written
    assert first == again
    assert first.key.startswith("manifests/things/")
    assert (first.bucket, first.region) == ("b", "eu-west-1")
    assert (request["Bucket"], request["Key"]) == (first.bucket, first.key)
    assert json.loads(request["Body"]) == {
        "entries": [
            {"url": "s3-eu-west-1://b/a b+é.csv", "mandatory": True},
            {"url": "s3://b/c.csv", "mandatory": True},
        ]
    }


@pytest.mark.parametrize(
    "error",
    [
        botocore.exceptions.ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject"),
        botocore.exceptions.EndpointConnectionError(endpoint_url="http://s3.test"),
    ],
)
def test_a_manifest_that_cannot_be_written_says_what_to_do(error):
    with pytest.raises(
        ManifestUnwritableError, match="let the function's role put objects there, or set LOAD_MANIFEST=off"
    ):
        Manifests(FakeS3(error), pipeline="things").write((a_ref("a"), a_ref("b")))
