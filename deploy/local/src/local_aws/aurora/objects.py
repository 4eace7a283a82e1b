"""
The objects of one load, written one behind the other into one file that the database server can read.

Nothing is held in memory but a chunk and, of a manifest, its text.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as NoConnectionError,
)

from local_aws.aurora.errors import AuroraError, bad_manifest, no_stream, s3_refused
from local_aws.aurora.statements import Load, Selector

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK_BYTES = 64 * 1024
_URI = re.compile(r"s3(?:-(?P<region>[a-z0-9-]+))?://(?P<bucket>[^/]+)/(?P<key>[\s\S]+)")
# A manifest's url has at most 1,024 characters.
_LONGEST_URL = 1024
_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "404", "PermanentRedirect", "301"})
_FORBIDDEN = frozenset({"AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"})


class AbandonedError(Exception):
    """Nobody waits for the objects any more."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an object, or a group of objects, lies; without a *region* it is the cluster's."""

    region: str | None
    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a manifest."""

    address: Address
    mandatory: bool


def parse_uri(uri: str) -> Address:
    """
    Return what *uri* names: `s3://bucket/key`, or `s3-region://bucket/key`. Keys are not URL-encoded.

    Raises:
        AuroraError: It is no such address.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise no_stream()
    return Address(match["region"], match["bucket"], match["key"])


def fetch(client: "S3Client", load: Load, file: Path, *, abandoned: Callable[[], bool] = lambda: False) -> None:
    """
    Write everything that *load* names to *file*, objects in the order of their keys or of the manifest.

    Between two objects the load's line end is added when the first does not end with it. *abandoned* is asked now and
    then whether to stop.

    Raises:
        AuroraError: What Aurora would answer.
        AbandonedError: *abandoned* said so.
    """
    try:
        address = parse_uri(load.uri)
        with file.open("wb") as out:
            joint = b""  # what the next object needs before it to begin a line
            for part in _parts(client, load.selector, address):
                joint = _append(client, part, out, joint=joint, line_end=load.line_end, abandoned=abandoned)
        file.chmod(0o644)  # the server may run as another user
    except ClientError as error:
        raise _answer_for(error) from error
    except (NoConnectionError, HTTPClientError, IncompleteReadError) as error:
        raise s3_refused("Network Connection") from error
    except NoCredentialsError as error:
        raise s3_refused("Missing Credentials: Cannot instantiate S3 Client") from error
    except BotoCoreError as error:
        raise s3_refused(str(error)) from error


def _parts(client: "S3Client", selector: Selector, address: Address) -> Iterator[Address]:
    """
    Yield the objects to load.

    Raises:
        AuroraError: There is none, or the manifest is wrong.
    """
    _check_region(client, address)
    if selector is Selector.FILE:
        yield address
    elif selector is Selector.PREFIX:
        found = False
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=address.bucket, Prefix=address.key):
            for item in page.get("Contents", []):
                found = True
                yield Address(address.region, address.bucket, item["Key"])
        if not found:
            raise no_stream()
    else:
        body = client.get_object(Bucket=address.bucket, Key=address.key)["Body"].read()
        yield from _existing(client, parse_manifest(body))


def _existing(client: "S3Client", entries: list[Entry]) -> list[Address]:
    """
    Return the entries that exist.

    Raises:
        AuroraError: A mandatory one is missing, or all are.
    """
    existing = []
    for entry in entries:
        try:
            _check_region(client, entry.address)
            client.head_object(Bucket=entry.address.bucket, Key=entry.address.key)
        except ClientError as error:
            if entry.mandatory or error.response["Error"]["Code"] not in _MISSING:
                raise
        else:
            existing.append(entry.address)
    if not existing:
        raise no_stream()
    return existing


def parse_manifest(body: bytes) -> list[Entry]:
    """
    Return the entries of a manifest; its schema allows no other properties than those Aurora knows.

    Raises:
        AuroraError: It is no such manifest.
    """
    try:
        manifest = json.loads(body)
    except ValueError as error:
        raise bad_manifest("it is not JSON") from error
    if not isinstance(manifest, dict) or set(manifest) != {"entries"} or not isinstance(manifest["entries"], list):
        raise bad_manifest('it must be an object with the one property "entries", a list')
    entries = [_entry(entry) for entry in manifest["entries"]]
    if not entries:
        raise bad_manifest("it has no entries")
    if len({entry.address for entry in entries}) < len(entries):
        raise bad_manifest("an entry stands there twice")
    return entries


def _entry(entry: Any) -> Entry:  # noqa: ANN401 - any JSON value may stand there
    """
    Return an entry of a manifest.

    Raises:
        AuroraError: It breaks the schema.
    """
    if not isinstance(entry, dict) or not {"url"} <= set(entry) <= {"url", "mandatory"}:
        raise bad_manifest('an entry has "url", perhaps "mandatory", and nothing else')
    url, mandatory = entry["url"], entry.get("mandatory", False)
    if not isinstance(url, str) or not 1 <= len(url) <= _LONGEST_URL or not isinstance(mandatory, bool):
        raise bad_manifest(f'"url" is a text of 1 to {_LONGEST_URL} characters, "mandatory" is true or false')
    address = _URI.fullmatch(url)
    if address is None or url.endswith("/"):
        raise bad_manifest("a url must be the full address of an object")
    return Entry(parse_uri(url), mandatory)


def _check_region(client: "S3Client", address: Address) -> None:
    """
    Check that the bucket lies where the address says; an address without a region means the cluster's.

    Raises:
        AuroraError: It lies elsewhere.
    """
    actual = client.head_bucket(Bucket=address.bucket).get("BucketRegion")
    if actual and actual != (address.region or client.meta.region_name):
        raise no_stream()


def _append(
    client: "S3Client", part: Address, out: BinaryIO, *, joint: bytes, line_end: bytes, abandoned: Callable[[], bool]
) -> bytes:
    """
    Write one object to *out*, *joint* before it when it is not empty, and return the joint for the next one.

    Raises:
        AbandonedError: Nobody waits any more.
    """
    tail = b""
    with closing(client.get_object(Bucket=part.bucket, Key=part.key)["Body"]) as body:
        for chunk in body.iter_chunks(_CHUNK_BYTES):
            if abandoned():
                raise AbandonedError
            out.write(joint)
            out.write(chunk)
            joint = b""
            tail = (tail + chunk)[-len(line_end) :]
    if not tail:
        return joint
    return b"" if tail.endswith(line_end) else line_end


def _answer_for(error: ClientError) -> AuroraError:
    """Return what Aurora answers when S3 answers *error*."""
    code = error.response["Error"]["Code"]
    if code in _MISSING:
        return no_stream()
    if code in _FORBIDDEN:
        return s3_refused("Access Denied")
    return s3_refused(error.response["Error"].get("Message") or code)
