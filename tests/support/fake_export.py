"""An export in memory, by hand: what S3 answers about the objects that AWS writes for one."""

import gzip
import hashlib
import io
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from builders import dynamodb_json

PREFIX = "exports/AWSDynamoDB/01764000000000-abcdef12"
URL = f"s3://bucket/{PREFIX}/"


class FakeS3:
    """Objects by key; every call fails with the code `fails_with`, once it is set."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.read: list[str] = []
        self.fails_with: str | None = None

    def get_object(self, **arguments: Any) -> dict[str, Any]:
        key = arguments["Key"]
        self.read.append(key)
        code = self.fails_with or (None if key in self.objects else "NoSuchKey")
        if code is not None:
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "GetObject")
        content = self.objects[key]
        return {"Body": StreamingBody(io.BytesIO(content), len(content))}


class FakeExport:
    """An export of *files* of items, as AWS writes it."""

    summary_key = f"{PREFIX}/manifest-summary.json"
    files_key = f"{PREFIX}/manifest-files.json"

    def __init__(
        self,
        *files: Sequence[Mapping[str, Any]],
        at: str = "2025-11-24T16:00:00.000Z",
        summary: Mapping[str, Any] | None = None,
    ) -> None:
        self.s3 = FakeS3()
        self._counts = [len(items) for items in files]
        for number, items in enumerate(files):
            lines = (json.dumps({"Item": dynamodb_json(item)}).encode() + b"\n" for item in items)
            self.s3.objects[self.key(number)] = gzip.compress(b"".join(lines))
        described = {
            "version": "2020-06-30",
            "tableArn": "arn:aws:dynamodb:eu-west-1:111122223333:table/things",
            "exportTime": at,
            "manifestFilesS3Key": self.files_key,
            "itemCount": sum(self._counts),
            "outputFormat": "DYNAMODB_JSON",
        }
        self.manifest("manifest-summary", json.dumps({**described, **(summary or {})}).encode())
        self._list_files()

    def key(self, number: int) -> str:
        return f"{PREFIX}/data/file{number:02}.json.gz"

    def replace_file(self, number: int, content: bytes) -> None:
        """Let file *number* hold *content*, and the manifest its MD5."""
        self.s3.objects[self.key(number)] = content
        self._list_files()

    def manifest(self, name: str, content: bytes, *, hexadecimal: bool = False) -> None:
        digest = hashlib.md5(content, usedforsecurity=False)
        checksum = digest.hexdigest() if hexadecimal else b64encode(digest.digest()).decode()
        self.s3.objects[f"{PREFIX}/{name}.json"] = content
        self.s3.objects[f"{PREFIX}/{name}.md5"] = checksum.encode()

    def _list_files(self) -> None:
        lines = [
            json.dumps(
                {
                    "itemCount": count,
                    "md5Checksum": md5(self.s3.objects[self.key(number)]),
                    "etag": "e-1",
                    "dataFileS3Key": self.key(number),
                }
            )
            for number, count in enumerate(self._counts)
        ]
        self.manifest("manifest-files", "".join(f"{line}\n" for line in lines).encode())


def md5(content: bytes) -> str:
    return b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
