"""
The items of an export, file by file: gzip, one item a line.

A file is fetched as a whole into a temporary file, and its MD5 compared with the manifest's, before an item of it is
used. In memory is a portion of its lines.
"""

import gzip
import hashlib
import itertools
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

from ddb2aurora.pipeline import Pipeline
from operator_cli.aws import aws_errors
from operator_cli.backfilling.errors import ExportError
from operator_cli.backfilling.exports import DataFile, Export, same_md5
from operator_cli.backfilling.reading import Portion
from operator_cli.backfilling.segments import Place
from operator_cli.scanning.table import AttributeType, Item

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LINES_A_PORTION: Final = 1000
_CHUNK_BYTES: Final = 2**20


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    item: dict[str, Any] = msgspec.field(name="Item")


_DECODER: Final = msgspec.json.Decoder(_Line)


class ExportReading:
    """The items of one export, which are all of its time; threads may share it."""

    def __init__(
        self, s3: "S3Client", export: Export, pipeline: Pipeline, *, key_types: Mapping[str, AttributeType]
    ) -> None:
        """Read *export* for *pipeline*, whose table has a key of *key_types*."""
        self._s3 = s3
        self._export = export
        self._pipeline = pipeline
        self._key_types = key_types

    @property
    def read_at_ms(self) -> int | None:
        """See `Reading`."""
        return self._export.at_ms

    def portions(self, number: int, *, resume_at: Place) -> Iterator[Portion]:
        """
        Yield the portions of file *number*; see `Reading`.

        Raises:
            ExportError: The file is not what the manifest says.
            AwsSetUpError: It cannot be read before someone acts.
            AwsCallError: It may be read later.
        """
        file = self._export.files[number]
        with tempfile.TemporaryFile(prefix="ddb2aurora-") as copy:
            self._fetch(file, copy)
            copy.seek(0)
            yield from self._portions_of(file, copy, start=0 if resume_at is None else int(resume_at["line"]))

    def take_spent(self) -> float:
        """Return 0: an export is read without the table."""
        return 0.0

    def hurry(self) -> None:
        """Do nothing: an export has no budget."""

    def _fetch(self, file: DataFile, copy: IO[bytes]) -> None:
        where = self._where(file)
        digest = hashlib.md5(usedforsecurity=False)
        with aws_errors(where=where):
            body = self._s3.get_object(Bucket=self._export.place.bucket, Key=file.key)["Body"]
            for chunk in body.iter_chunks(_CHUNK_BYTES):
                digest.update(chunk)
                copy.write(chunk)
        if not same_md5(digest, file.md5):
            raise ExportError(f"{where} is not what AWS wrote: its MD5 is not the manifest's; export again")

    def _portions_of(self, file: DataFile, copy: IO[bytes], *, start: int) -> Iterator[Portion]:
        with gzip.open(copy) as lines:
            number = 0
            while True:
                chunk = self._lines(file, lines)
                last = number + len(chunk)
                items = tuple(self._items(file, chunk[max(0, start - number) :], first=max(start, number)))
                number = last
                if len(chunk) < _LINES_A_PORTION:
                    break
                if number > start:
                    yield Portion(items, {"line": number})
        if number != file.items:
            raise ExportError(
                f"{self._where(file)} has {number} items, and the manifest says {file.items}; export again"
            )
        yield Portion(items, None)

    def _lines(self, file: DataFile, lines: Any) -> list[bytes]:  # noqa: ANN401 - a file that gzip opened
        try:
            return list(itertools.islice(lines, _LINES_A_PORTION))
        except (EOFError, OSError, zlib.error) as error:
            raise ExportError(
                f"{self._where(file)} is no whole gzip file ({type(error).__name__}); export again"
            ) from error

    def _items(self, file: DataFile, lines: list[bytes], *, first: int) -> Iterator[Item]:
        for number, line in enumerate(lines, start=first + 1):
            try:
                item = _DECODER.decode(line).item
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise ExportError(
                    f"{self._where(file)}, line {number} is no item ({type(error).__name__}); export again"
                ) from error
            for name, kind in self._key_types.items():
                value = item.get(name)
                if not isinstance(value, dict) or kind not in value:
                    raise ExportError(
                        f"{self._where(file)}, line {number} has no key attribute {name} of type {kind}: the export is "
                        f"not one of table {self._pipeline.source_table}"
                    )
            if not self._pipeline.is_heartbeat(item):
                yield item

    def _where(self, file: DataFile) -> str:
        return f"s3://{self._export.place.bucket}/{file.key}"
