"""
A reproducible workload: visits to web pages, like those of the reference solution's test harness.

The same seed gives the same operations. Items are put first; then some are updated, deleted, and made again after their
delete. A share of them, spread over all, breaks the pipeline's schema or columns, each in a way whose reason is known.
"""

import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ddb2aurora.errors import HaltError, Reason

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


KEY: Final = ("page_id", "activity_dt")


class SharesError(HaltError):
    """The shares of a workload contradict each other."""


@dataclass(frozen=True, slots=True)
class Shares:
    """
    Which shares of the items are changed after they were put, and which never fit; each from 0 to 1.

    No item is in two of them, so together they are at most 1.
    """

    updated: float = 0.10
    deleted: float = 0.05
    recreated: float = 0.02
    broken: float = 0.02

    def __post_init__(self) -> None:
        """
        Check that the shares leave room for each other.

        Raises:
            SharesError: They do not, or one is below 0.
        """
        shares = (self.updated, self.deleted, self.recreated, self.broken)
        # Sums of decimal fractions may miss 1 by a hair.
        if min(shares) < 0 or sum(shares) > 1 + 1e-9:
            raise SharesError("the shares of updated, deleted, recreated and broken items must add up to at most 1")


@dataclass(frozen=True, slots=True)
class Operation:
    """
    One write to the table.

    *key* holds the values of `KEY`; *item* is None for a delete. *breaks* says why the pipeline must reject the item,
    None if it must not.
    """

    key: tuple[str, str]
    item: dict[str, Any] | None
    breaks: Reason | None = None


def operations(count: int, *, seed: int, shares: Shares) -> Iterator[Operation]:
    """Yield the writes for *count* items: all puts, then updates, deletes and re-creations in a mixed order."""
    source = random.Random(seed)  # noqa: S311 - a reproducible workload, not a secret
    drawn = iter(source.sample(range(count), count))
    broken, deleted, updated, recreated = (
        set(itertools.islice(drawn, round(count * share)))
        for share in (shares.broken, shares.deleted, shares.updated, shares.recreated)
    )
    for number in range(count):
        yield put_visit(source, number, broken=number in broken)
    # A re-creation is two writes of one item at two places: the delete comes at the first.
    places = sorted(deleted | updated | recreated) + sorted(recreated)
    source.shuffle(places)
    dead: set[int] = set()
    for number in places:
        if number in updated or number in dead:
            yield put_visit(source, number, broken=False)
        else:
            dead.add(number)
            yield Operation(visit_key(number), None)


def visit_key(number: int) -> tuple[str, str]:
    """Return the key of visit *number*."""
    # Several visits to one page: only the range key tells them apart.
    return f"page-{number // 3:07}", (_START + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def put_visit(source: random.Random, number: int, *, broken: bool) -> Operation:
    """Return a write of visit *number*, with values drawn from *source*; a *broken* one is never accepted."""
    key = visit_key(number)
    visit = _visit(source, number)
    payload, reason = json.dumps(visit, ensure_ascii=False), None
    if broken:
        damage, reason = source.choice(_DAMAGES)
        payload = damage(visit)
    return Operation(key, {**dict(zip(KEY, key, strict=True)), "payload": payload}, reason)


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
