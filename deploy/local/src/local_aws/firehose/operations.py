"""Translate between Firehose's requests and answers, which are JSON objects, and the engine."""

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.firehose.configuration import described
from local_aws.firehose.engine import Engine, Entry
from local_aws.firehose.errors import InvalidArgumentError, UnknownOperationError
from local_aws.firehose.shapes import checked

DESTINATION_ID = "destinationId-000000000001"
_CREATE_MEMBERS = {"DeliveryStreamName", "DeliveryStreamType", "ExtendedS3DestinationConfiguration", "Tags"}
_UPDATE_MEMBERS = {
    "DeliveryStreamName",
    "CurrentDeliveryStreamVersionId",
    "DestinationId",
    "ExtendedS3DestinationUpdate",
}


def perform(engine: Engine, operation: str, given: object) -> dict[str, Any]:
    """
    Run *operation* with the request *given*, and return its answer.

    Raises:
        FirehoseError: The request is refused; the class says why.
    """
    run = _OPERATIONS.get(operation)
    if run is None:
        raise UnknownOperationError(f"{operation} is not an operation of this stand-in")
    return run(engine, checked(operation, given))


def _create(engine: Engine, given: Mapping[str, Any]) -> dict[str, Any]:
    _refuse_others(given, _CREATE_MEMBERS)
    kind = given.get("DeliveryStreamType") or "DirectPut"
    if kind != "DirectPut":
        raise InvalidArgumentError(f"a stream of type {kind} is not supported by this stand-in, DirectPut is")
    settings = given.get("ExtendedS3DestinationConfiguration")
    if not settings:
        raise InvalidArgumentError("this stand-in needs an ExtendedS3DestinationConfiguration")
    tags = {tag["Key"]: tag.get("Value", "") for tag in given.get("Tags") or ()}
    return {"DeliveryStreamARN": engine.create(given["DeliveryStreamName"], settings=settings, tags=tags).arn}


def _describe(engine: Engine, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"DeliveryStreamDescription": _description(engine.entry(given["DeliveryStreamName"]))}


def _description(entry: Entry) -> dict[str, Any]:
    extended = described(entry.settings)
    plain_members = (
        "RoleARN",
        "BucketARN",
        "Prefix",
        "ErrorOutputPrefix",
        "BufferingHints",
        "CompressionFormat",
        "EncryptionConfiguration",
        "CloudWatchLoggingOptions",
    )
    plain = {name: extended[name] for name in plain_members if name in extended}
    description: dict[str, Any] = {
        "DeliveryStreamName": entry.name,
        "DeliveryStreamARN": entry.arn,
        "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamEncryptionConfiguration": {"Status": "DISABLED"},
        "DeliveryStreamType": "DirectPut",
        "VersionId": str(entry.version),
        "CreateTimestamp": entry.created,
        "Destinations": [
            {
                "DestinationId": DESTINATION_ID,
                "S3DestinationDescription": plain,
                "ExtendedS3DestinationDescription": extended,
            }
        ],
        "HasMoreDestinations": False,
    }
    if entry.updated is not None:
        description["LastUpdateTimestamp"] = entry.updated
    return description


def _list(engine: Engine, given: Mapping[str, Any]) -> dict[str, Any]:
    names = engine.names() if given.get("DeliveryStreamType", "DirectPut") == "DirectPut" else []
    start = given.get("ExclusiveStartDeliveryStreamName") or ""
    # AWS: ten names unless a Limit is given.
    page, more = _page([name for name in names if name > start], given.get("Limit") or 10)
    return {"DeliveryStreamNames": page, "HasMoreDeliveryStreams": more}


def _update(engine: Engine, given: Mapping[str, Any]) -> dict[str, Any]:
    _refuse_others(given, _UPDATE_MEMBERS)
    changes = given.get("ExtendedS3DestinationUpdate")
    if not changes:
        raise InvalidArgumentError("this stand-in needs an ExtendedS3DestinationUpdate")
    name = given["DeliveryStreamName"]
    engine.entry(name)
    if given["DestinationId"] != DESTINATION_ID:
        raise InvalidArgumentError(f"the stream has no destination {given['DestinationId']}")
    engine.update(name, version=int(given["CurrentDeliveryStreamVersionId"]), changes=changes)
    return {}


def _delete(engine: Engine, given: Mapping[str, Any]) -> dict[str, Any]:
    engine.delete(given["DeliveryStreamName"])
    return {}


def _tag(engine: Engine, given: Mapping[str, Any]) -> dict[str, Any]:
    engine.tag(given["DeliveryStreamName"], tags={tag["Key"]: tag.get("Value", "") for tag in given["Tags"]})
    return {}


def _untag(engine: Engine, given: Mapping[str, Any]) -> dict[str, Any]:
    engine.tag(given["DeliveryStreamName"], tags={}, without=given["TagKeys"])
    return {}


def _list_tags(engine: Engine, given: Mapping[str, Any]) -> dict[str, Any]:
    tags = engine.entry(given["DeliveryStreamName"]).tags
    start = given.get("ExclusiveStartTagKey") or ""
    page, more = _page([key for key in sorted(tags) if key > start], given.get("Limit") or 50)
    return {"Tags": [{"Key": key, "Value": tags[key]} for key in page], "HasMoreTags": more}


def _page(names: list[str], limit: int) -> tuple[list[str], bool]:
    return names[:limit], len(names) > limit


def _refuse_others(given: Mapping[str, Any], supported: set[str]) -> None:
    others = sorted(name for name, value in given.items() if value is not None and name not in supported)
    if others:
        raise InvalidArgumentError(f"{', '.join(others)} is not supported by this stand-in")


_OPERATIONS: Mapping[str, Callable[[Engine, Mapping[str, Any]], dict[str, Any]]] = {
    "CreateDeliveryStream": _create,
    "DescribeDeliveryStream": _describe,
    "ListDeliveryStreams": _list,
    "UpdateDestination": _update,
    "DeleteDeliveryStream": _delete,
    "TagDeliveryStream": _tag,
    "UntagDeliveryStream": _untag,
    "ListTagsForDeliveryStream": _list_tags,
}
