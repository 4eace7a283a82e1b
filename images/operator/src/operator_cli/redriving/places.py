"""The places in which a pipeline keeps failures, and what a replay from each needs."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from operator_cli.site import Setting


class Place(StrEnum):
    """Where failures are kept, in the order in which they are replayed: what comes first may load what comes later."""

    BATCHES = "batches"
    MALFORMED = "malformed"
    RECORDS = "records"
    EVENTS = "events"
    REJECTS = "rejects"


# What a replay from a place needs beside the pipeline and the bucket.
NEEDS: Final[Mapping[Place, tuple[Setting, ...]]] = {
    Place.BATCHES: (Setting.BUCKET, Setting.STREAM_PROCESSOR),
    Place.MALFORMED: (Setting.BUCKET, Setting.STREAM_PROCESSOR),
    Place.RECORDS: (Setting.BUCKET,),
    Place.EVENTS: (Setting.LOADER, Setting.LOADER_FAILURES),
    Place.REJECTS: (Setting.BUCKET, Setting.LOADER),
}
