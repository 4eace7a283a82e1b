"""Functions that run in containers which somebody else starts, such as compose."""

from collections.abc import Mapping
from dataclasses import dataclass

from local_aws.runtime.http import HttpFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """Where the containers of the stages answer."""

    address: str
    """The URL of one container, with `{stage}` and `{replica}` (from 1) in it."""
    replicas: Mapping[str, int]
    """How many containers each stage has."""

    def function(self, stage: str, *, name: str, timeout_seconds: float) -> HttpFunction:
        """Return the function *name*, which runs in the containers of *stage*."""
        numbers = range(1, self.replicas[stage] + 1)
        addresses = [self.address.format(stage=stage, replica=number) for number in numbers]
        return HttpFunction(name=name, url=addresses, timeout_seconds=timeout_seconds)
