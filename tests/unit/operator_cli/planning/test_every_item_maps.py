"""Whatever a table holds, the pipeline that is proposed for it is a pipeline, and takes every item that was seen."""

import json
from decimal import Decimal

import pytest
from builders import dynamodb_json
from hypothesis import given
from hypothesis import strategies as st
from strategies import json_values, numbers, scalars, texts, values

from ddb2aurora.errors import Reason
from ddb2aurora.paths import parse_path
from operator_cli.planning.checking import Trial
from operator_cli.planning.places import Room
from operator_cli.planning.profile import Profile
from operator_cli.planning.proposing import Naming, path_text, propose
from operator_cli.planning.rendering import render, render_schema
from operator_cli.planning.views import views_of
from operator_cli.planning.writing import compiled

# With many examples each writes and reads a pipeline file.
pytestmark = pytest.mark.timeout(900)

_NAMING = Naming(pipeline="things", database="demo", target_table="Things")
_names = st.sampled_from(["a", "b", "A", "order", "a.b", "$item", 'q"', "x y ", "é", "_version"]) | texts.filter(bool)
_kinds = st.sampled_from(["USER#1", "USER#2", "ORDER#1", "x_y#1", "PROFILE", "META"])
_keys = {"S": _kinds | texts.filter(bool), "N": numbers(), "B": st.binary(min_size=1, max_size=40)}
_times = st.datetimes().map(lambda time: time.isoformat() + "Z")
_dates = st.dates().map(str)
_documents = st.dictionaries(st.sampled_from(["a", "b", "c", ""]), json_values, max_size=3).map(
    lambda found: json.dumps(found, default=_number)
)


def _number(number: Decimal) -> float:
    return float(number)


_values = st.one_of(values, scalars, _times, _dates, _documents, st.dictionaries(_names, scalars, min_size=1))


@st.composite
def tables(draw):
    """Draw the types of a key, and items; attributes often have one type each, as they do in tables."""
    key = draw(st.sampled_from([("S",), ("N",), ("B",), ("S", "S"), ("S", "N"), ("N", "B"), ("B", "S")]))
    kinds = dict(zip(("id", "range"), key, strict=False))
    columns = draw(
        st.dictionaries(_names, st.sampled_from([_values, texts, numbers(), _times, _documents]), max_size=5)
    )
    keys = st.fixed_dictionaries({name: _keys[kind] for name, kind in kinds.items()})
    rest = st.fixed_dictionaries({}, optional=columns)
    items = draw(st.lists(st.tuples(rest, keys).map(lambda both: {**both[0], **both[1]}), min_size=1, max_size=6))
    return kinds, items


def proposed_for(kinds, items, *, room=None, tolerate=0.0):
    profile = Profile("things", kinds, room=room)
    profile.add([dynamodb_json(item) for item in items])
    proposal = propose(profile, naming=_NAMING, tolerate=tolerate)
    files = {document.file: render_schema(document.schema) for document in proposal.documents}
    files["things.yaml"] = render(proposal, views=tuple(views_of(proposal, profile)))
    return proposal, compiled(files, name="things")


def rejected_by(pipeline, items):
    trial = Trial(pipeline, at_ms=0)
    for item in items:
        trial.add(dynamodb_json(item))
    return [(breach.reason, breach.pointer, breach.detail) for breach in trial.breaches]


@given(tables())
def test_every_item_that_was_seen_maps(table):
    kinds, items = table

    _, pipeline = proposed_for(kinds, items)

    assert rejected_by(pipeline, items) == []


@given(tables(), st.integers(1, 8), st.integers(1, 4))
def test_so_it_does_where_there_is_little_room_for_statistics(table, places, depth):
    kinds, items = table

    _, pipeline = proposed_for(kinds, items, room=Room(places=places + len(kinds) + 1, depth=depth))

    assert rejected_by(pipeline, items) == []


@given(tables(), st.floats(0, 0.9))
def test_what_is_tolerated_are_documents_that_are_none(table, tolerate):
    kinds, items = table

    proposal, pipeline = proposed_for(kinds, items, tolerate=tolerate)

    reasons = {reason for reason, _, _ in rejected_by(pipeline, items)}
    assert reasons <= {Reason.DOCUMENT_MISSING, Reason.DOCUMENT_NOT_JSON, Reason.SCHEMA_VIOLATION}
    assert not reasons or proposal.notes


@given(st.lists(texts.filter(bool), min_size=1, max_size=5))
def test_a_path_is_written_as_it_is_read(steps):
    assert parse_path(path_text(steps)) == tuple(steps)
