"""Events to measure with: changes of the reference pipeline in several shapes, the same ones every time."""

import base64
import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from benchmarking.machine import ROOT
from ddb2aurora.codec import encode_item
from ddb2aurora.envelope import Change, encode_change
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.pipeline_file import read_pipeline_file

# Firehose hands over at most 500 records here, and 3 MB before base64 whatever the buffer says.
_MOST_RECORDS: Final = 500
_MOST_BYTES: Final = 3_000_000
_START: Final = datetime(2026, 1, 5, 10, tzinfo=UTC)
_EPOCH_MS: Final = 1_767_607_200_000
_LARGE: Final = 20_000
_AWKWARD: Final = ("Côte d'Ivoire", "Bonaire, Sint Eustatius, Saba", 'the "North"', "日本", "back\\slash")


class Shape(NamedTuple):
    """A kind of event: its *name*, what is in it, and what makes the item of a number."""

    name: str
    meaning: str
    item: Callable[[random.Random, int], dict[str, Any]]
    deletes: float = 0.0


def reference_pipeline() -> Pipeline:
    """Return the pipeline that all of this is for."""
    return read_pipeline_file(ROOT / "pipelines" / "web_analytics.yaml")


def schema_text() -> str:
    """Return the JSON Schema of its documents."""
    return (ROOT / "pipelines" / "web_analytics.schema.json").read_text(encoding="utf-8")


def _key(number: int) -> dict[str, Any]:
    return {
        "page_id": f"page-{number // 3:07}",
        "activity_dt": f"{_START + timedelta(seconds=number):%Y-%m-%dT%H:%M:%SZ}",
    }


def _visit(source: random.Random, country: str) -> dict[str, Any]:
    started = _START + timedelta(seconds=source.randrange(86_400))
    return {
        "Hits": source.randrange(1, 1_000_000),
        "device": {
            "make": source.choice(("Apfel", "Birne", "Kirsche")),
            "platform": {"name": source.choice(("Alpha", "Beta")), "version": "14.2"},
            "location": {
                "latitude": f"{source.uniform(-90, 90):.5f}",
                "longitude": f"{source.uniform(-180, 180):.5f}",
                "country": country,
            },
        },
        "session": {
            "session_id": f"{source.getrandbits(64):016x}",
            "start_timestamp": started.isoformat(),
            "stop_timestamp": (started + timedelta(seconds=source.randrange(3600))).isoformat(),
        },
    }


def _seed(source: random.Random, number: int) -> dict[str, Any]:
    visit = _visit(source, source.choice(("DE", "FR", "IN", "JP", "BR", "US")))
    return {**_key(number), "payload": json.dumps(visit)}


def _small(source: random.Random, number: int) -> dict[str, Any]:
    place = {"latitude": "52", "longitude": "13", "country": "DE"}
    device = {"make": "A", "platform": {"name": "B", "version": "1"}, "location": place}
    session = {"session_id": f"{number}", "start_timestamp": "10:00", "stop_timestamp": "10:05"}
    visit = {"Hits": source.randrange(1, 1_000), "device": device, "session": session}
    return {**_key(number), "payload": json.dumps(visit, separators=(",", ":"))}


def _awkward(source: random.Random, number: int) -> dict[str, Any]:
    return {**_key(number), "payload": json.dumps(_visit(source, source.choice(_AWKWARD)), ensure_ascii=False)}


def _words(source: random.Random, size: int) -> str:
    return " ".join(f"{source.getrandbits(32):08x}" for _ in range(size // 9))


def _large_attribute(source: random.Random, number: int) -> dict[str, Any]:
    return {**_seed(source, number), "notes": _words(source, _LARGE)}


def _large_document(source: random.Random, number: int) -> dict[str, Any]:
    visit = _visit(source, "DE")
    steps = [{"at": step, "page": f"page-{source.getrandbits(20)}", "seconds": 5} for step in range(_LARGE // 45)]
    return {**_key(number), "payload": json.dumps({**visit, "steps": steps})}


def _broken(every: int) -> Callable[[random.Random, int], dict[str, Any]]:
    def item(source: random.Random, number: int) -> dict[str, Any]:
        good = _seed(source, number)
        if number % every:
            return good
        visit = json.loads(good["payload"])
        match source.randrange(3):
            case 0:
                visit["Hits"] = "many"
            case 1:
                del visit["session"]["session_id"]
            case _:
                visit["device"]["location"] = None
        return {**good, "payload": json.dumps(visit)}

    return item


SHAPES: Final[Sequence[Shape]] = (
    Shape("seed", "the payload of the reference solution, plain values", _seed),
    Shape("small", "items of about 200 bytes", _small),
    Shape("awkward", "countries that need quotes or are not ASCII", _awkward),
    Shape("large attribute", "20 kB in an attribute that no column reads", _large_attribute),
    Shape("large document", "20 kB in a part of the document that no column reads", _large_document),
    Shape("deletes", "a fifth of the changes are deletes", _seed, deletes=0.2),
    Shape("1 % bad", "one record in 100 breaks the schema", _broken(100)),
    Shape("50 % bad", "every other record breaks the schema", _broken(2)),
)


def changes(shape: Shape, count: int, *, pipeline: Pipeline) -> Iterator[Change]:
    """Yield *count* changes of *shape*."""
    source = random.Random(1)  # noqa: S311 - a reproducible workload
    for number in range(count):
        item = shape.item(source, number)
        is_delete = source.random() < shape.deletes
        image = encode_item(item)
        yield Change(
            event="REMOVE" if is_delete else "INSERT",
            event_id=f"{source.getrandbits(128):032x}",
            table=pipeline.source_table,
            keys={name: image[name] for name in pipeline.source_key},
            image=None if is_delete else image,
            changed_at_ms=1_767_700_000_000 + number,
            sequence_number=str(3_950_500_000_000_007_790_329_561 + number),
            stream_epoch_ms=_EPOCH_MS,
        )


def items(shape: Shape, count: int, *, first: int) -> list[dict[str, Any]]:
    """Return *count* items of *shape*, numbered from *first*."""
    source = random.Random(first)  # noqa: S311 - a reproducible workload
    return [shape.item(source, number) for number in range(first, first + count)]


def transform_event(shape: Shape, *, pipeline: Pipeline, most_records: int = _MOST_RECORDS) -> dict[str, Any]:
    """Return a transformation event of *shape*: as many records as Firehose hands over at once, or *most_records*."""
    records: list[dict[str, Any]] = []
    size = 0
    for number, change in enumerate(changes(shape, most_records, pipeline=pipeline)):
        line = encode_change(change)
        if size + len(line) > _MOST_BYTES:
            break
        size += len(line)
        records.append(
            {
                "recordId": f"4967{number:048}0000",
                "approximateArrivalTimestamp": 1_767_700_000_123,
                "data": base64.b64encode(line).decode(),
            }
        )
    stream = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/web_analytics"
    return {"invocationId": "1f2e", "deliveryStreamArn": stream, "region": "eu-west-1", "records": records}


def stream_event(shape: Shape, *, pipeline: Pipeline, records: int = _MOST_RECORDS) -> dict[str, Any]:
    """Return a batch of the stream as Lambda hands it over."""
    return {"Records": [_stream_record(change) for change in changes(shape, records, pipeline=pipeline)]}


def _stream_record(change: Change) -> dict[str, Any]:
    label = datetime.fromtimestamp(change.stream_epoch_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000")
    body: dict[str, Any] = {
        "ApproximateCreationDateTime": (change.changed_at_ms or 0) // 1000,
        "Keys": change.keys,
        "SequenceNumber": change.sequence_number,
        "SizeBytes": 500,
        "StreamViewType": "NEW_IMAGE",
    }
    if change.image is not None:
        body["NewImage"] = change.image
    return {
        "eventID": change.event_id,
        "eventName": change.event,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": body,
        "eventSourceARN": f"arn:aws:dynamodb:eu-west-1:111122223333:table/{change.table}/stream/{label}",
    }
