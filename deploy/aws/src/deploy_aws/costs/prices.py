"""Prices out of `deploy/aws/prices.toml`, each with the page that it comes from."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ddb2aurora.errors import HaltError


class PriceFileError(HaltError):
    """A file of prices or measurements cannot be used."""


class Price(NamedTuple):
    """*usd* for *per* of a *unit*; the *source* names a page, on which it was seen if it is *confirmed*."""

    usd: float
    per: int
    unit: str
    source: str
    confirmed: bool

    def of(self, quantity: float) -> float:
        """Return what *quantity* costs."""
        return self.usd * quantity / self.per


@dataclass(frozen=True, slots=True)
class Prices:
    """All prices of one *region* on one *date*."""

    date: str
    region: str
    by_name: Mapping[str, Price]

    def __getitem__(self, name: str) -> Price:
        """Return the price *name*."""
        return self.by_name[name]


class _Price(msgspec.Struct, forbid_unknown_fields=True):
    usd: float
    per: int
    unit: str
    source: str
    confirmed: bool


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `deploy/measure.py` found: sizes of the demonstration's workload, and times on one machine."""

    workload: "Workload"
    times: "Times"
    load: "Load"


class Workload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The demonstration's workload in bytes, and what Firehose bills for it."""

    items: int
    seed: int
    changes: int
    change_bytes: int
    row_bytes: int
    raw_bytes: int
    records_packed: int
    billed_bytes_one_by_one: int
    billed_bytes_packed: int


class Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a change takes on one whole core, and the share of its bytes that gzip leaves."""

    on: str
    machine: str
    stream_processor_microseconds: float
    transformer_microseconds: float
    gzip_share: float


class Load(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How fast a database of so many *cores* loads."""

    rows_per_second: int
    cores: int


def read_prices(path: Path) -> Prices:
    """
    Return the prices in the file at *path*.

    Raises:
        PriceFileError: It cannot be used.
    """
    found = _read(path)
    try:
        date, region = found.pop("date"), found.pop("region")
        prices = msgspec.convert(found, dict[str, _Price])
    except (KeyError, msgspec.ValidationError) as error:
        raise PriceFileError(f"{path}: not a file of prices ({error})") from error
    by_name = {name: Price(**msgspec.structs.asdict(price)) for name, price in prices.items()}
    return Prices(str(date), str(region), by_name)


def read_measured(path: Path) -> Measured:
    """
    Return the measurements in the file at *path*.

    Raises:
        PriceFileError: It cannot be used.
    """
    try:
        return msgspec.convert(_read(path), Measured)
    except msgspec.ValidationError as error:
        raise PriceFileError(f"{path}: not a file of measurements ({error}); run deploy/measure.py") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PriceFileError(f"{path}: cannot be read ({error})") from error
