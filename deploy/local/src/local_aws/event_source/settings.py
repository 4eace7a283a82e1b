"""What can be set on an event source mapping, in AWS's ranges."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TRIM_HORIZON = "TRIM_HORIZON"
LATEST = "LATEST"
_REPORT = "ReportBatchItemFailures"
_FIELDS: Mapping[str, str] = {
    "EventSourceArn": "stream_arn",
    "BatchSize": "batch_size",
    "MaximumBatchingWindowInSeconds": "maximum_batching_window_seconds",
    "ParallelizationFactor": "parallelization_factor",
    "StartingPosition": "starting_position",
    "MaximumRecordAgeInSeconds": "maximum_record_age_seconds",
    "MaximumRetryAttempts": "maximum_retry_attempts",
    "BisectBatchOnFunctionError": "bisect_batch_on_function_error",
    "FunctionResponseTypes": "function_response_types",
}
_NEVER = -1
_RANGES: tuple[tuple[str, int, int, bool], ...] = (
    # The service model asks for a window from 11 records up, which AWS enforces for SQS only: the default for streams
    # is 100 records without a window.
    ("BatchSize", 1, 10_000, False),
    ("MaximumBatchingWindowInSeconds", 0, 300, False),
    ("ParallelizationFactor", 1, 10, False),
    ("MaximumRecordAgeInSeconds", 60, 604_800, True),
    ("MaximumRetryAttempts", 0, 10_000, True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSettings:
    """
    The settings of one mapping; the names and defaults are AWS's.

    Raises:
        ValueError: Settings are out of range; the text names all of them.
    """

    stream_arn: str
    batch_size: int = 100
    maximum_batching_window_seconds: float = 0
    parallelization_factor: int = 1
    starting_position: str = TRIM_HORIZON
    maximum_record_age_seconds: int = -1
    """-1: a record may be as old as it likes."""
    maximum_retry_attempts: int = -1
    """-1: a batch is tried until it succeeds or its records are too old."""
    bisect_batch_on_function_error: bool = False
    function_response_types: tuple[str, ...] = ()
    uuid: str = field(default="")
    """The mapping's id, which is part of the keys of what it discards; made from the stream when empty."""

    def __post_init__(self) -> None:
        """Check every setting, then report all that are wrong together."""
        if not self.uuid:
            object.__setattr__(self, "uuid", str(uuid.uuid5(uuid.NAMESPACE_URL, self.stream_arn)))
        wrong = [
            f"{name} must be {'-1 or ' if allows_never else ''}{low} to {high}"
            for name, low, high, allows_never in _RANGES
            if not low <= getattr(self, _FIELDS[name]) <= high
            and not (allows_never and getattr(self, _FIELDS[name]) == _NEVER)
        ]
        if "/stream/" not in self.stream_arn:
            wrong.append("EventSourceArn must be the ARN of a DynamoDB stream")
        if self.starting_position not in {TRIM_HORIZON, LATEST}:
            wrong.append("StartingPosition must be TRIM_HORIZON or LATEST")
        if self.function_response_types not in {(), (_REPORT,)}:
            wrong.append(f"FunctionResponseTypes must be empty or {_REPORT} alone")
        if wrong:
            raise ValueError("; ".join(wrong))

    @property
    def reports_item_failures(self) -> bool:
        """Whether the answer of the function says which records failed."""
        return _REPORT in self.function_response_types

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> "MappingSettings":
        """
        Read settings under the names that the AWS API and CloudFormation give them.

        Raises:
            ValueError: A setting is out of range, or one that this stand-in does not honour (FilterCriteria, …).
        """
        unknown = sorted(set(properties) - set(_FIELDS))
        if unknown:
            raise ValueError(f"the local event source mapping does not honour {', '.join(unknown)}")
        values = {_FIELDS[name]: value for name, value in properties.items()}
        if "function_response_types" in values:
            values["function_response_types"] = tuple(values["function_response_types"])
        return cls(**values)
