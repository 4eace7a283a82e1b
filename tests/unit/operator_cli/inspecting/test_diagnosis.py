"""The newest change that the target has not seen says where the item is stuck."""

from datetime import UTC, datetime, timedelta

import pytest

from ddb2aurora.errors import Reason
from operator_cli.inspecting.diagnosis import diagnose
from operator_cli.inspecting.traces import Trace
from operator_cli.verifying.looking import Sight
from operator_cli.verifying.sides import TargetRow, Verdict
from operator_cli.verifying.target import NO_TOMBSTONE, Tombstone

_NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
_OLD = _NOW - timedelta(hours=1)


def a_sight(kind="different", *, version=5, tombstone=NO_TOMBSTONE, is_steady=True):
    row = None if version is None else TargetRow(version, 1, is_stamped=False, fields=("a",))
    return Sight({"id": {"S": "a"}}, row, tombstone, is_steady, Verdict(kind, reason=Reason.MISFIT))


def a_trace(place="processed", version=6, **parts):
    return Trace(
        **{
            "place": place,
            "where": "s3://b/k",
            "version": version,
            "changed_at_ms": 1,
            "what": "upsert",
            "written_at": _OLD,
            **parts,
        }
    )


def word_of(sight, *traces, searched=True):
    found = traces if searched else None
    return diagnose(sight, found, rejection="misfit", now=_NOW, settle_seconds=60).word


@pytest.mark.parametrize(
    ("sight", "traces", "word"),
    [
        (a_sight("equal"), (), "equal"),
        (a_sight("kept"), (), "equal"),
        (a_sight("unloadable"), (), "rejected"),
        (a_sight(), (), "differs"),
        (a_sight(is_steady=False), (), "in_flight"),
        (a_sight(), (a_trace(),), "object_not_loaded"),
        (a_sight(), (a_trace(written_at=_NOW),), "in_flight"),
        (a_sight(), (a_trace(loaded_at=_NOW),), "differs"),
        (a_sight(), (a_trace(version=5, loaded_at=_NOW),), "differs"),
        (a_sight(tombstone=Tombstone(version=6)), (a_trace(),), "differs"),
        (a_sight(tombstone=Tombstone(soft_version=6)), (a_trace(),), "differs"),
        (a_sight(version=None), (a_trace(version=0),), "object_not_loaded"),
        (a_sight(), (a_trace("failed"),), "failed_record"),
        (a_sight(), (a_trace("rejects"),), "rejected"),
        (a_sight(), (a_trace("backup"),), "differs"),
        (a_sight(), (a_trace("backup", written_at=_NOW),), "in_flight"),
        (a_sight(), (a_trace("backup"), a_trace("failed"), a_trace("rejects")), "rejected"),
        (a_sight(), (a_trace("backup"), a_trace("failed")), "failed_record"),
        (a_sight(), (a_trace("failed"), a_trace("backup", version=7, written_at=_NOW)), "in_flight"),
    ],
)
def test_the_word_for_it(sight, traces, word):
    assert word_of(sight, *traces) == word


def test_nobody_looked_is_said():
    sentence = diagnose(a_sight("missing"), None, rejection="", now=_NOW, settle_seconds=60).sentence

    assert sentence == "differs (missing); nobody looked for its changes in the bucket: leave --history on"


def test_what_may_still_be_on_its_way_to_firehose_is_said():
    sentence = diagnose(a_sight(), (), rejection="", now=_NOW, settle_seconds=60).sentence

    assert "if it was changed within the last 60 s it may be on its way to Firehose" in sentence
