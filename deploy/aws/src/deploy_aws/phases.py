"""
In which order a deployment changes things, so that no row meets a table, or a loader, that does not know its shape.

The migration runs by the new operator before the first new data-path image: it makes room for what the new rows hold.
Then the loader, which knows rows of the old shape and of the new; then those who write the new shape. A first creation
lets no change flow before the tables are there. Pure: parameters in, phases out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from deploy_aws.images import parameter_of

FLOW: Final = "Flow"
_LOADER: Final = parameter_of("aurora-loader")
_WRITERS: Final = (parameter_of("stream-processor"), parameter_of("firehose-transformer"))


@dataclass(frozen=True, slots=True)
class Phase:
    """One update of the stack, and whether the migration runs after it."""

    title: str
    parameters: Mapping[str, str]
    migrates: bool = False


def phases(wanted: Mapping[str, str], *, deployed: Mapping[str, str] | None, flow: str | None) -> tuple[Phase, ...]:
    """
    Return the phases that lead to the parameters *wanted*.

    *deployed* are those of the stack that is there, None where there is none, or where its creation has not ended.
    *flow* is the default of the parameter Flow, None if the template does not have it.
    """
    if deployed is None:
        if flow is None:
            return (Phase("everything", wanted, migrates=True),)
        held = {**wanted, FLOW: "off"}
        target = {FLOW: flow, **wanted}
        return _without_repeats([Phase("everything, no change flows yet", held), Phase("changes flow", target)])
    operator_first = {**wanted, **_as_deployed((_LOADER, *_WRITERS), wanted, deployed)}
    loader_next = {**wanted, **_as_deployed(_WRITERS, wanted, deployed)}
    return _without_repeats(
        [
            Phase("the operator and all that is no image", operator_first),
            Phase("the aurora-loader", loader_next),
            Phase("the other images", wanted),
        ]
    )


def _as_deployed(names: Iterable[str], wanted: Mapping[str, str], deployed: Mapping[str, str]) -> Mapping[str, str]:
    return {name: deployed[name] for name in names if name in wanted and deployed.get(name)}


def _without_repeats(found: list[Phase]) -> tuple[Phase, ...]:
    kept: list[Phase] = []
    for phase in found:
        if not kept or phase.parameters != kept[-1].parameters:
            kept.append(phase)
    return tuple(Phase(phase.title, phase.parameters, migrates=phase is kept[0]) for phase in kept)
