"""Check requests against AWS's own model of Firehose: required members, types, lengths, ranges, patterns and values."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, Shape, StringShape, StructureShape

from local_aws.firehose.errors import InvalidArgumentError, SerializationError

_TYPES: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool}


@cache
def _service() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("firehose", "service-2"), "firehose")


def checked(operation: str, given: object) -> dict[str, Any]:
    """
    Return *given* once it is a valid request for *operation*.

    Members that AWS does not know are refused too: here a misspelt setting is to be found, not ignored.

    Raises:
        InvalidArgumentError: A value breaks one of AWS's limits.
        SerializationError: A value is of the wrong JSON type.
    """
    shape = _service().operation_model(operation).input_shape
    if not isinstance(given, dict):
        raise SerializationError("the body is not a JSON object")
    if shape is not None:
        _check(shape, given, operation)
    return given


def _check(shape: Shape, value: object, path: str) -> None:
    if isinstance(shape, StructureShape):
        _check_structure(shape, value, path)
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            raise SerializationError(f"{path} is not a list")
        _check_range(shape, len(value), f"the number of members of {path}")
        for index, member in enumerate(value):
            _check(shape.member, member, f"{path}[{index}]")
    else:
        _check_scalar(shape, value, path)


def _check_structure(shape: StructureShape, value: object, path: str) -> None:
    if not isinstance(value, dict):
        raise SerializationError(f"{path} is not an object")
    for name in shape.required_members:
        if value.get(name) is None:
            raise InvalidArgumentError(f"{path}.{name} is required")
    for name, member in value.items():
        if name not in shape.members:
            raise InvalidArgumentError(f"{path}.{name} is unknown to Firehose")
        if member is not None:
            _check(shape.members[name], member, f"{path}.{name}")


def _check_scalar(shape: Shape, value: object, path: str) -> None:
    expected = _TYPES.get(shape.type_name)
    if expected is not None and (not isinstance(value, expected) or (expected is int and isinstance(value, bool))):
        raise SerializationError(f"{path} is not of type {shape.type_name}")
    if isinstance(value, str):
        _check_range(shape, len(value), f"the length of {path}")
        _check_text(shape, value, path)
    elif isinstance(value, int):
        _check_range(shape, value, path)


def _check_range(shape: Shape, number: int, what: str) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and number < least:
        raise InvalidArgumentError(f"{what} is {number}, at least {least} is needed")
    if most is not None and number > most:
        raise InvalidArgumentError(f"{what} is {number}, at most {most} is allowed")


def _check_text(shape: Shape, value: str, path: str) -> None:
    allowed: Sequence[str] = shape.enum if isinstance(shape, StringShape) else ()
    if allowed and value not in allowed:
        raise InvalidArgumentError(f"{path} is {value!r}, allowed are {', '.join(allowed)}")
    pattern = shape.metadata.get("pattern")
    if pattern is not None and not re.fullmatch(_python_pattern(pattern), value):
        raise InvalidArgumentError(f"{path} is {value!r}, which does not match {pattern}")


def _python_pattern(pattern: str) -> str:
    # The patterns of tags name Unicode classes, which Python's expressions do not know by these names.
    return pattern.replace(r"\p{L}", r"\w").replace(r"\p{N}", r"\w").replace(r"\p{Z}", r"\s")
