"""Read the processing of a delivery stream: one Lambda function, and a delimiter between records."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.firehose.buffers import Hints
from local_aws.firehose.errors import InvalidArgumentError

MIB = 1024 * 1024
# AWS's defaults of the Lambda processor, as the text that its parameters are.
LAMBDA_DEFAULTS: Mapping[str, str] = {"NumberOfRetries": "3", "BufferSizeInMBs": "1", "BufferIntervalInSeconds": "60"}
# AWS: the transform buffer takes 0.2 to 3 MB and 0 to 900 seconds.
_RANGES: Mapping[str, tuple[float, float]] = {
    "NumberOfRetries": (0, 300),
    "BufferSizeInMBs": (0.2, 3),
    "BufferIntervalInSeconds": (0, 900),
}
_LAMBDA_ARN = re.compile(r"arn:[\w-]+:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?")


@dataclass(frozen=True, slots=True)
class Transform:
    """The function that transforms records, how often it is asked again, and how records are gathered for it."""

    lambda_arn: str
    retries: int
    hints: Hints


@dataclass(frozen=True, slots=True)
class Processing:
    """What is done to records on their way."""

    transform: Transform | None = None
    delimiter: bytes = b""


def processing_of(settings: Mapping[str, Any]) -> Processing:
    """
    Return what a ProcessingConfiguration asks for.

    Raises:
        InvalidArgumentError: A processor or a parameter is not supported here, or out of AWS's range.
    """
    if not settings.get("Enabled", False):
        return Processing()
    transform: Transform | None = None
    delimiter = b""
    for processor in settings.get("Processors") or ():
        parameters = {entry["ParameterName"]: entry["ParameterValue"] for entry in processor.get("Parameters") or ()}
        if processor["Type"] == "Lambda":
            if transform is not None:
                raise InvalidArgumentError("a delivery stream takes one processor of type Lambda at most")
            transform = _transform(parameters)
        elif processor["Type"] == "AppendDelimiterToRecord":
            delimiter = _delimiter(parameters)
        else:
            raise InvalidArgumentError(f"a processor of type {processor['Type']} is not supported by this stand-in")
    return Processing(transform, delimiter)


def described(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a valid ProcessingConfiguration with the defaults that Firehose fills in."""
    processors = []
    for processor in settings.get("Processors") or ():
        parameters = {entry["ParameterName"]: entry["ParameterValue"] for entry in processor.get("Parameters") or ()}
        if processor["Type"] == "Lambda":
            parameters = {**LAMBDA_DEFAULTS, **parameters}
        entries = [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()]
        processors.append({"Type": processor["Type"], "Parameters": entries})
    return {"Enabled": bool(settings.get("Enabled", False)), "Processors": processors}


def _transform(parameters: Mapping[str, str]) -> Transform:
    # Roles are accepted and not evaluated: there is no IAM here.
    unknown = sorted(set(parameters) - {"LambdaArn", "RoleArn", *LAMBDA_DEFAULTS})
    if unknown:
        raise InvalidArgumentError(f"the Lambda processor takes no parameter {', '.join(unknown)} here")
    lambda_arn = parameters.get("LambdaArn", "")
    if not _LAMBDA_ARN.fullmatch(lambda_arn):
        raise InvalidArgumentError(f"the Lambda processor's LambdaArn {lambda_arn!r} is not the ARN of a function")
    numbers = {name: _number(name, text) for name, text in {**LAMBDA_DEFAULTS, **parameters}.items() if name in _RANGES}
    hints = Hints(int(numbers["BufferSizeInMBs"] * MIB), numbers["BufferIntervalInSeconds"])
    return Transform(lambda_arn, int(numbers["NumberOfRetries"]), hints)


def _number(name: str, text: str) -> float:
    pattern = r"\d+(\.\d+)?" if name == "BufferSizeInMBs" else r"\d+"
    least, most = _RANGES[name]
    if not re.fullmatch(pattern, text, re.ASCII) or not least <= float(text) <= most:
        raise InvalidArgumentError(f"the Lambda processor's {name} is {text!r}, allowed is {least:g} to {most:g}")
    return float(text)


def _delimiter(parameters: Mapping[str, str]) -> bytes:
    # The console and the examples of AWS write a newline as a backslash and an n.
    if set(parameters) - {"Delimiter"} or parameters.get("Delimiter", "\\n") != "\\n":
        raise InvalidArgumentError("AppendDelimiterToRecord is supported here with the delimiter \\n alone")
    return b"\n"
