"""A source table as DynamoDB describes it, and its items by pages of a parallel Scan."""

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from operator_cli.aws import aws_errors
from operator_cli.scanning.budget import ReadBudget

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

AttributeType: TypeAlias = Literal["S", "N", "B"]
Item: TypeAlias = Mapping[str, Any]

_UNIT_BYTES: Final = 4096  # DynamoDB: a strongly consistent read unit is 4 KB


class Page(NamedTuple):
    """One page of a segment: its *items* as a stream carries them, and where to go on; None at the end."""

    items: tuple[Item, ...]
    resume_at: Mapping[str, Any] | None


class Description(NamedTuple):
    """
    What DynamoDB says of a table.

    *key* gives the type of each key attribute, hash first; *about_items* was counted within the last six hours.
    """

    key: Mapping[str, AttributeType]
    about_items: int
    stream_arn: str | None


def described(client: "DynamoDBClient", table: str) -> Description:
    """
    Return what DynamoDB says of *table*.

    Raises:
        AwsSetUpError: There is no such table, or it may not be read.
        AwsCallError: It cannot be read now.
    """
    with aws_errors(where=f"table {table}"):
        found = client.describe_table(TableName=table)["Table"]
    types: dict[str, AttributeType] = {
        one["AttributeName"]: one["AttributeType"] for one in found.get("AttributeDefinitions", [])
    }
    kinds = {one["AttributeName"]: one["KeyType"] for one in found["KeySchema"]}
    names = sorted(kinds, key=lambda name: kinds[name] != "HASH")
    return Description({name: types[name] for name in names}, found.get("ItemCount", 0), found.get("LatestStreamArn"))


class TableScan:
    """The parallel Scan of one table; it keeps nothing and may be shared by threads."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        *,
        budget: ReadBudget,
        attributes: Collection[str] | None = None,
    ) -> None:
        """Read *table* within *budget*; of each item only *attributes*, where they are given."""
        self._client = client
        # A projection would spare the network alone. What nobody reads need not be turned into another form.
        self._attributes = attributes
        self._table = table
        self._budget = budget

    def pages(
        self,
        segment: int,
        *,
        of: int,
        resume_at: Mapping[str, Any] | None = None,
        limit: int | None = None,
        consistent: bool = True,
    ) -> Iterator[Page]:
        """
        Yield the pages of *segment*, from 0 on, *of* so many; a page has at most *limit* items.

        Items are as a stream carries them. Without *consistent* they may be a second old, and cost half as much.

        Raises:
            AwsSetUpError: The table cannot be read before someone acts.
            AwsCallError: It may be read later.
        """
        start = resume_at
        arguments: dict[str, Any] = {} if limit is None else {"Limit": limit}
        while True:
            if start:
                arguments["ExclusiveStartKey"] = for_sdk(start)
            self._budget.wait_for_turn()
            with aws_errors(where=f"table {self._table}"):
                answer = self._client.scan(
                    TableName=self._table,
                    Segment=segment,
                    TotalSegments=of,
                    ConsistentRead=consistent,
                    ReturnConsumedCapacity="TOTAL",
                    **arguments,
                )
            found = answer.get("Items", [])
            self._budget.spend(units_of(answer.get("ConsumedCapacity"), found))
            last = answer.get("LastEvaluatedKey")
            start = as_in_a_stream(last) if last else None
            yield Page(carried(found, attributes=self._attributes), start)
            if not start:
                return


def as_in_a_stream(value: Any) -> Any:  # noqa: ANN401 - any part of DynamoDB JSON
    """Return *value* as an event of a stream carries it: binary as base64, where the SDK gives bytes."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, dict):
        return {name: as_in_a_stream(inner) for name, inner in value.items()}
    return [as_in_a_stream(inner) for inner in value] if isinstance(value, list) else value


def carried(items: Iterable[Mapping[str, Any]], *, attributes: Collection[str] | None) -> tuple[Item, ...]:
    """Return *items* as a stream carries them; of each only *attributes*, where they are given."""
    return tuple(
        {name: as_in_a_stream(value) for name, value in item.items() if attributes is None or name in attributes}
        for item in items
    )


def for_sdk(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return *keys*, as a stream carries them, as the SDK takes them: binary as bytes."""
    return {name: {"B": b64decode(value["B"])} if "B" in value else dict(value) for name, value in keys.items()}


def units_of(consumed: Any, items: Sequence[Any]) -> float:  # noqa: ANN401 - a part of the SDK's answer
    """Return the read units that an answer says it has *consumed*."""
    if consumed and "CapacityUnits" in consumed:
        return float(consumed["CapacityUnits"])
    # An emulator that does not say. The text of an item is about as long as what is counted.
    return max(1.0, sum(len(repr(item)) for item in items) / _UNIT_BYTES)
