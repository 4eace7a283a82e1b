"""
Keep accepted records on disk until they are delivered, so that a crash of the stand-in loses none of them.

A journal is a folder. Each stream has a file with its settings, and segments: files to which accepted records are
appended before the call that brought them is answered. A segment is removed when everything in it is delivered.
After a crash whole segments are read again, so some records are delivered twice: at least once, as Firehose promises.
The bytes are handed to the operating system, not forced to the disk: they survive the process, not the machine.
"""

import contextlib
import json
import logging
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from io import BufferedWriter

log = logging.getLogger(__name__)

SEGMENT_BYTES = 16 * 1024 * 1024
# Arrival time in milliseconds, length, and checksum of a record's data, which follows.
_HEADER = struct.Struct(">QII")
_SETTINGS_SUFFIX = ".stream.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that was read back, and the segment that keeps it."""

    segment: int
    arrival_ms: int
    data: bytes


class StreamJournal:
    """The segments of one stream. Calls must not overlap."""

    def __init__(self, folder: Path, stream: str, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Keep *stream* in *folder*, and begin another segment after *segment_bytes*."""
        self._folder = folder
        self._stream = stream
        self._segment_bytes = segment_bytes
        self._unfinished: dict[int, int] = {}
        self._file: BufferedWriter | None = None
        self._written = 0
        self._segment = max(self._segments_on_disk(), default=0)

    def recovered(self) -> Iterator[Kept]:
        """Return the records of earlier processes that may not have been delivered; call it once, before `append`."""
        for segment in self._segments_on_disk():
            kept = [Kept(segment, arrival_ms, data) for arrival_ms, data in _read(self._path(segment))]
            self._unfinished[segment] = len(kept)
            if not kept:
                self._remove(segment)
            yield from kept

    def append(self, records: Iterable[tuple[int, bytes]]) -> int:
        """
        Keep *records* (arrival time and data), and return the number of the segment that has them.

        Raises:
            OSError: They could not be written; nothing of them counts as kept.
        """
        chunks: list[bytes] = []
        count = 0
        for arrival_ms, data in records:
            chunks += (_HEADER.pack(arrival_ms, len(data), crc32(data)), data)
            count += 1
        block = b"".join(chunks)
        if self._file is None or self._written >= self._segment_bytes:
            self._begin_segment()
        assert self._file is not None  # noqa: S101 - for the type checker: a segment was just begun
        try:
            self._file.write(block)
            self._file.flush()
        except OSError:
            self._give_up_segment()
            raise
        self._written += len(block)
        self._unfinished[self._segment] += count
        return self._segment

    def finished(self, segment: int, *, count: int = 1) -> None:
        """Note that *count* records of *segment* are delivered; forget the segment with the last of them."""
        if segment not in self._unfinished:
            # The stream was deleted while they were under way, and one of its name may have begun anew.
            return
        self._unfinished[segment] -= count
        if not self._unfinished[segment]:
            if segment == self._segment:
                self._close_segment()
            self._remove(segment)

    def save(self, settings: Mapping[str, Any]) -> None:
        """Keep the *settings* of the stream, which must be JSON."""
        path = self._folder / f"{self._stream}{_SETTINGS_SUFFIX}"
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(json.dumps(settings))
        fresh.replace(path)

    def delete(self) -> None:
        """Forget the stream and all its records."""
        self.close()
        self._unfinished.clear()
        for segment in self._segments_on_disk():
            self._path(segment).unlink()
        (self._folder / f"{self._stream}{_SETTINGS_SUFFIX}").unlink(missing_ok=True)

    def close(self) -> None:
        """Close the open segment, and keep what is not delivered for the next process."""
        self._close_segment()

    def _begin_segment(self) -> None:
        self._close_segment()
        self._segment += 1
        self._file = self._path(self._segment).open("ab")
        self._unfinished[self._segment] = 0
        self._written = 0

    def _give_up_segment(self) -> None:
        """Write no more to this segment: a torn record at its end would hide whatever came behind it."""
        with contextlib.suppress(OSError):
            self._close_segment()
        self._file = None
        if not self._unfinished[self._segment]:
            self._remove(self._segment)

    def _close_segment(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _remove(self, segment: int) -> None:
        self._unfinished.pop(segment, None)
        self._path(segment).unlink(missing_ok=True)

    def _path(self, segment: int) -> Path:
        return self._folder / f"{self._stream}.{segment:012d}.journal"

    def _segments_on_disk(self) -> list[int]:
        name = re.compile(re.escape(self._stream) + r"\.(\d{12})\.journal")
        return sorted(int(match[1]) for path in self._folder.iterdir() if (match := name.fullmatch(path.name)))


def saved_streams(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the settings of each stream that *folder* keeps."""
    return {
        path.name.removesuffix(_SETTINGS_SUFFIX): json.loads(path.read_text())
        for path in sorted(folder.glob(f"*{_SETTINGS_SUFFIX}"))
    }


def _read(path: Path) -> Iterator[tuple[int, bytes]]:
    """Return the whole records of a segment; one that a crash cut short was never acknowledged."""
    content = path.read_bytes()
    position = 0
    while position + _HEADER.size <= len(content):
        arrival_ms, length, checksum = _HEADER.unpack_from(content, position)
        end = position + _HEADER.size + length
        data = content[position + _HEADER.size : end]
        if len(data) < length or crc32(data) != checksum:
            break
        position = end
        yield arrival_ms, data
    if position < len(content):
        log.warning("journal ends in unreadable bytes", extra={"file": path.name, "bytes": len(content) - position})
