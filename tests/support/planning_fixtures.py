"""Three tables of different shapes, and the command that plans for them, as a user runs it."""

import subprocess
from base64 import b64decode
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from builders import dynamodb_json
from command_line import run_command, start_command

from operator_cli.clickstream import KEY, Shares, operations

ITEMS = 60
LONGEST_NUMBER = Decimal(12345678901234567890123456789012345678)


def visits() -> list[dict[str, Any]]:
    """Return items of the reference table, none of them broken."""
    return [
        operation.item
        for operation in operations(ITEMS, seed=1, shares=Shares(updated=0, deleted=0, recreated=0, broken=0))
        if operation.item is not None
    ]


def sensors() -> list[dict[str, Any]]:
    """Return items with nested lists, maps and sets, of a table whose key is a number."""
    return [
        {
            "id": Decimal(number),
            "location": {
                "lat": Decimal(number) / 8 - 3,
                "lng": Decimal("-0.00001"),
                "site": {"name": f"Straße {number}"},
            },
            "readings": [
                {"at": f"2026-01-{1 + number % 28:02}T00:00:00Z", "value": Decimal("0.1") * step, "raw": [None, True]}
                for step in range(number % 4)
            ],
            "tags": frozenset({"a", f"tag {number}"}),
            "codes": frozenset({Decimal(number + 1), LONGEST_NUMBER}),
            "frames": frozenset({b"\x00", bytes([number])}),
            "order": Decimal(number),
            "Order": f"x{number}",
            "firmware": b"\x00\xff" * (1 + number % 5),
            "active": number % 2 == 0,
            "installed": f"2026-01-{1 + number % 28:02}",
            "seen": f"2026-01-01T00:00:{number:02}.{number:03}+02:00",
            "value": Decimal(number) if number % 3 else "n/a",
            "mixed": [Decimal(1)] if number % 2 else "one",
            "price": Decimal("12.5"),
            "huge": LONGEST_NUMBER,
            "tiny": Decimal("1E-100"),
            "by user": {f"user-{number}-{step}": Decimal(step) for step in range(10)},
            "a.b": {"$c": "dotted"},
            **({"note": None} if number % 7 == 0 else {}),
        }
        for number in range(ITEMS)
    ]


def app() -> list[dict[str, Any]]:
    """Return items of several kinds that share one table."""
    users = [
        {
            "pk": f"USER#{number}",
            "sk": "PROFILE",
            "createdAt": f"2026-01-01T00:00:{number:02}.123Z",
            "email": f"u{number}@example.com",
            "settings": {"theme": "dark"},
        }
        for number in range(ITEMS // 3)
    ]
    orders = [
        {
            "pk": f"USER#{number % 5}",
            "sk": f"ORDER#{number}",
            "createdAt": "2026-01-02T00:00:00.5Z",
            "total": Decimal("12.5"),
            "lines": [{"sku": "a", "qty": Decimal(2)}],
        }
        for number in range(ITEMS // 3)
    ]
    products = [
        {"pk": f"PRODUCT#{number}", "sk": f"IN_STOCK#{number}", "title": f"Product {number}", "price": Decimal(number)}
        for number in range(ITEMS // 3)
    ]
    return [*users, *orders, *products]


KEYS: Mapping[str, Mapping[str, str]] = {
    "visits": dict.fromkeys(KEY, "S"),
    "sensors": {"id": "N"},
    "app": {"pk": "S", "sk": "S"},
}
SHAPES = {"visits": visits, "sensors": sensors, "app": app}


def sdk_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return *item* as the SDK takes it: binary as bytes, which it makes base64 of."""
    return {name: _for_sdk(value) for name, value in dynamodb_json(item).items()}


def _for_sdk(value: Any) -> Any:
    [(kind, inner)] = value.items()
    match kind:
        case "B":
            return {"B": b64decode(inner)}
        case "BS":
            return {"BS": [b64decode(member) for member in inner]}
        case "M":
            return {"M": {name: _for_sdk(found) for name, found in inner.items()}}
        case "L":
            return {"L": [_for_sdk(found) for found in inner]}
    return value


class Tables:
    """Tables in the emulator, and the command that reads them."""

    def __init__(self, aws: Any) -> None:
        self._aws = aws
        self.dynamodb = aws.client("dynamodb")
        self.environment = {**aws.environment, "COLUMNS": "160"}
        self._made: list[str] = []

    def make(self, key: Mapping[str, str], items: Sequence[Mapping[str, Any]], *, prefix: str = "things") -> str:
        """Make a table with *items*, and return its name."""
        name = self._aws.unique(prefix)
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": attribute, "KeyType": kind}
                for attribute, kind in zip(key, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[
                {"AttributeName": attribute, "AttributeType": kind} for attribute, kind in key.items()
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        self._made.append(name)
        for item in items:
            self.dynamodb.put_item(TableName=name, Item=sdk_item(item))
        return name

    def of_shape(self, shape: str) -> str:
        return self.make(KEYS[shape], SHAPES[shape](), prefix=shape)

    def plan(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run_command(["plan", *arguments], {**self.environment, **environment})

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return start_command(["plan", *arguments], self.environment)

    def close(self) -> None:
        for name in self._made:
            self.dynamodb.delete_table(TableName=name)


@pytest.fixture(scope="module")
def tables(aws):
    made = Tables(aws)
    yield made
    made.close()
