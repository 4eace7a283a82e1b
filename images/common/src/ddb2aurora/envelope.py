"""
The bytes that carry one change from the stream-processor to the firehose-transformer.

One change is one line of JSON, format version 1:

    {"v":1,"event":"MODIFY","id":"…","table":"…","keys":{…},"image":{…},"at_ms":1764000000000,
     "sequence":"…","epoch_ms":1767607200000,"ttl":false,"trimmed":false}

`keys` and `image` are DynamoDB JSON as the stream gave them; `image` is null for a REMOVE. `trimmed` says that
attributes which the pipeline does not map were left out, because the whole change was too large for a Firehose record.
A Firehose record holds the line of one change, or, where the pipeline file says `packing: on`, those of several.
A `HEARTBEAT` is no change of an item, see `ddb2aurora.heartbeat`; its keys are empty, and its image is null.
Readers learn a new format version one release before writers use it; golden bytes of every version stay in the tests.
"""

from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

from ddb2aurora.errors import Reason, RejectError

FORMAT_VERSION: Final = 1
_BEGINNING: Final = b'{"v":'  # of a change in any format version
# From 1970 to the end of 9999: what DATETIME and BIGINT hold. Bounds are checked when a line is decoded.
Milliseconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]


class Change(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What happened to one item. A frozen, slotted struct, which msgspec decodes and checks in one pass."""

    format_version: Literal[1] = msgspec.field(name="v", default=FORMAT_VERSION)
    event: Literal["INSERT", "MODIFY", "REMOVE", "HEARTBEAT"]
    event_id: str = msgspec.field(name="id")
    table: str
    keys: dict[str, Any]
    image: dict[str, Any] | None
    changed_at_ms: Milliseconds | None = msgspec.field(name="at_ms")
    sequence_number: str = msgspec.field(name="sequence")
    stream_epoch_ms: Milliseconds = msgspec.field(name="epoch_ms")
    by_ttl: bool = msgspec.field(name="ttl", default=False)
    trimmed: bool = False


class _AnyVersion(msgspec.Struct):
    v: int


_ENCODER = msgspec.json.Encoder()
# A fraction never stands bare in DynamoDB JSON: the codec refuses it where it is read. Where nobody reads it, it may be
# as large as it likes, so that whoever skips it comes to the same end.
_BARE_FRACTION = object()
_DECODER = msgspec.json.Decoder(Change, float_hook=lambda _text: _BARE_FRACTION)
_VERSION_DECODER = msgspec.json.Decoder(_AnyVersion)


def encode_change(change: Change) -> bytes:
    """Return *change* as one line of JSON that ends in a newline."""
    return _ENCODER.encode(change) + b"\n"


def decode_change(line: bytes) -> Change:
    """
    Return the change in *line*, with or without its newline.

    Raises:
        RejectError: The line is not a change, or is of a format version that this code does not know.
    """
    try:
        return _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RejectError(_why_undecodable(line), detail=f"not a change in format version {FORMAT_VERSION}") from error


def lines_of(data: bytes) -> tuple[bytes, ...]:
    """
    Return the lines of a Firehose record: one of each change that is packed into it.

    Where none of several lines begins as a change does, the record is one piece: garbage is not made into many pieces.
    """
    if data.find(b"\n", 0, -1) < 0:
        return (data,)
    lines = tuple(line + b"\n" for line in data.split(b"\n") if line.strip())
    return lines if any(line.startswith(_BEGINNING) for line in lines) else (data,)


def _why_undecodable(line: bytes) -> Reason:
    try:
        version = _VERSION_DECODER.decode(line).v
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Reason.UNDECODABLE
    return Reason.UNDECODABLE if version == FORMAT_VERSION else Reason.UNKNOWN_FORMAT
