"""What the stand-in is given: everything outside itself that it uses."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from local_aws.faults import NO_FAULTS, Faults
from local_aws.firehose.ids import Ids
from local_aws.functions import Function

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Services:
    """
    The world around the streams.

    *resolve_function* returns the function of an ARN, and raises LookupError when there is none. *wait* waits for an
    event at most so many seconds and says whether it came.
    """

    s3: "S3Client"
    resolve_function: Callable[[str], Function]
    faults: Faults = NO_FAULTS
    clock: Callable[[], float] = time.time
    ids: Ids = field(default_factory=Ids)
    wait: Callable[[Event, float], bool] = Event.wait
    account: str = "000000000000"
    region: str = "us-east-1"
