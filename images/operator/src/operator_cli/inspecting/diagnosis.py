"""Where an item is stuck, in one sentence, and what mends it. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, TypeAlias

from operator_cli.inspecting.traces import Place, Trace
from operator_cli.verifying.looking import Sight

Word: TypeAlias = Literal["equal", "in_flight", "rejected", "failed_record", "object_not_loaded", "differs"]

# Of one change, what says most about where it is now.
_WEIGHT: Final[dict[Place, int]] = {"rejects": 3, "failed": 2, "processed": 1, "backup": 0}
_REPAIR: Final = "run `ddb2aurora verify --repair`"


class Diagnosis(NamedTuple):
    """A word for machines, and a sentence for people."""

    word: Word
    sentence: str


def diagnose(
    sight: Sight, traces: Sequence[Trace] | None, *, rejection: str, now: datetime, settle_seconds: float
) -> Diagnosis:
    """
    Return where the item that was *sight*-ed is stuck.

    *traces* is None when nobody looked for any; *rejection* says why the pipeline rejects the item, if it does. What
    the pipeline has had for less than *settle_seconds* is on its way.
    """
    kind = sight.verdict.kind
    if kind == "equal":
        return Diagnosis("equal", _equal(sight))
    if kind == "kept":
        return Diagnosis("equal", "equal: the item is gone, and this pipeline keeps the rows of items that expire")
    if kind == "unloadable":
        return Diagnosis(
            "rejected",
            f"rejected: {rejection}. Mend the item, or the schema or a column of the pipeline, then `redrive`",
        )
    newest = _newest(sight, traces or ())
    if newest is not None:
        return _stuck(newest, now=now, settle_seconds=settle_seconds)
    if not sight.is_steady:
        return Diagnosis("in_flight", "in flight: the row changed while it was looked at")
    return Diagnosis("differs", f"differs ({kind}){_without_trace(traces, settle_seconds)}")


def _without_trace(traces: Sequence[Trace] | None, settle_seconds: float) -> str:
    if traces is None:
        return "; nobody looked for its changes in the bucket: leave --history on"
    if any(trace.loaded_at is not None for trace in traces):
        return f", although its newest change was loaded: {_REPAIR}"
    return (
        f", and no newer change of it was found: if it was changed within the last {settle_seconds:.0f} s it may be on "
        f"its way to Firehose, otherwise {_REPAIR}"
    )


def _equal(sight: Sight) -> str:
    if sight.item is not None:
        return "equal: the row holds what the item says"
    return "equal: there is neither an item nor a living row"


def _newest(sight: Sight, traces: Sequence[Trace]) -> Trace | None:
    """Return the newest change that the target has not seen yet, where it says most."""
    known = max(sight.row.version if sight.row else -1, sight.tombstone.version, sight.tombstone.soft_version)
    newer = [trace for trace in traces if trace.version > known]
    return max(newer, key=lambda trace: (trace.version, _WEIGHT[trace.place]), default=None)


def _stuck(newest: Trace, *, now: datetime, settle_seconds: float) -> Diagnosis:
    is_young = newest.written_at is not None and now - newest.written_at < timedelta(seconds=settle_seconds)
    match newest.place:
        case "rejects":
            return Diagnosis(
                "rejected",
                f"rejected by the database: {newest.note}, in {newest.where}. Mend the table, then `redrive`",
            )
        case "failed":
            return Diagnosis("failed_record", f"failed record in {newest.where} ({newest.note}): run `redrive`")
        case "processed" if newest.loaded_at is not None:
            return Diagnosis("differs", f"differs, although its newest change was loaded ({newest.where}): {_REPAIR}")
        case "processed" if not is_young:
            return Diagnosis("object_not_loaded", f"object not loaded: {newest.where}; run `sweep`")
        case "backup" if not is_young:
            return Diagnosis(
                "differs", f"differs: Firehose had the change ({newest.where}) and wrote no row of it; {_REPAIR}"
            )
    return Diagnosis("in_flight", f"in flight: its newest change lies in {newest.where} and is about to be loaded")
