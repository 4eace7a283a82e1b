"""
A reproducible workload: visits to web pages, like those of the reference solution's test harness.

The same seed gives the same operations. Items are put first; then some are updated, deleted, and made again after their
delete. A share of them breaks the pipeline's schema or columns, each in a way whose reason is known.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ddb2aurora.errors import Reason

_MAKES: Final = ("Apfel", "Birne", "Kirsche", "Pflaume", "Quitte")
_PLATFORMS: Final = (("Alpha", "14.2"), ("Beta", "9"), ("Gamma", "11.0.3"))
_COUNTRIES: Final = (
    "DE",
    "FR",
    "IN",
    "JP",
    "BR",
    "US",
    "Côte d'Ivoire",
    "Bonaire, Sint Eustatius, Saba",
    'the "North"',
)
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shares:
    """Which shares of the items are changed after they were put, and which never fit; each from 0 to 1."""

    updated: float = 0.10
    deleted: float = 0.05
    recreated: float = 0.02
    broken: float = 0.02


@dataclass(frozen=True, slots=True)
class Operation:
    """
    One write to the table.

    *item* is None for a delete. *breaks* says why the pipeline must reject the item, None if it must not.
    """

    key: tuple[str, str]
    item: dict[str, Any] | None
    breaks: Reason | None = None


def operations(count: int, *, seed: int, shares: Shares) -> Iterator[Operation]:
    """Yield the writes for *count* items: all puts, then updates, deletes and re-creations in a mixed order."""
    source = random.Random(seed)  # noqa: S311 - a reproducible workload, not a secret
    broken_from = count - round(count * shares.broken)
    for number in range(count):
        yield _put(source, number, broken=number >= broken_from)
    later: list[Operation] = []
    for number in range(broken_from):
        draw = source.random()
        if draw < shares.deleted:
            later.append(Operation(_key(number), None))
        elif draw < shares.deleted + shares.updated:
            later.append(_put(source, number, broken=False))
        elif draw < shares.deleted + shares.updated + shares.recreated:
            later.append(Operation(_key(number), None))
            later.append(_put(source, number, broken=False))
    # Mixed, but never a re-creation before its delete: sort by drawn places, in order within one item.
    places: dict[tuple[str, str], list[float]] = {}
    for operation in later:
        places.setdefault(operation.key, []).append(source.random())
    queues = {key: iter(sorted(drawn)) for key, drawn in places.items()}
    yield from (
        operation for _, operation in sorted(((next(queues[o.key]), o) for o in later), key=lambda pair: pair[0])
    )


def _key(number: int) -> tuple[str, str]:
    # Several visits to one page: only the range key tells them apart.
    return f"page-{number // 3:07}", (_START + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _put(source: random.Random, number: int, *, broken: bool) -> Operation:
    page_id, activity_dt = key = _key(number)
    visit = _visit(source, number)
    payload, reason = json.dumps(visit, ensure_ascii=False), None
    if broken:
        damage, reason = source.choice(_DAMAGES)
        payload = damage(visit)
    return Operation(key, {"page_id": page_id, "activity_dt": activity_dt, "payload": payload}, reason)


def _visit(source: random.Random, number: int) -> dict[str, Any]:
    name, version = source.choice(_PLATFORMS)
    started = _START + timedelta(seconds=number)
    stopped = started + timedelta(seconds=source.randrange(1, 3600))
    return {
        "Hits": source.randrange(1, 1_000_000),
        "device": {
            "make": source.choice(_MAKES),
            "platform": {"name": name, "version": version},
            "location": {
                "latitude": f"{source.uniform(-90, 90):.5f}",
                "longitude": f"{source.uniform(-180, 180):.5f}",
                "country": source.choice(_COUNTRIES),
            },
        },
        "session": {
            "session_id": f"{source.getrandbits(64):016x}",
            "start_timestamp": started.isoformat(),
            "stop_timestamp": stopped.isoformat(),
        },
    }


def _without_hits(visit: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in visit.items() if name != "Hits"})


def _hits_as_text(visit: dict[str, Any]) -> str:
    return json.dumps({**visit, "Hits": str(visit["Hits"])})


def _cut_off(visit: dict[str, Any]) -> str:
    return json.dumps(visit)[:-2]


def _too_many_hits(visit: dict[str, Any]) -> str:
    return json.dumps({**visit, "Hits": 2**31})


_DAMAGES: Final[tuple[tuple[Callable[[dict[str, Any]], str], Reason], ...]] = (
    (_without_hits, Reason.SCHEMA_VIOLATION),
    (_hits_as_text, Reason.SCHEMA_VIOLATION),
    (_cut_off, Reason.DOCUMENT_NOT_JSON),
    (_too_many_hits, Reason.MISFIT),
)
