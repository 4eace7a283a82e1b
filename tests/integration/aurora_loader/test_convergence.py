"""The property of the promise: the rows depend on the set of changes, not on order, repetition or objects."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loader_fixtures import a_column, a_delete, a_pipeline, a_soft_delete, an_upsert

from ddb2aurora.model import rows_after, stamps_after

COLUMNS = (a_column("id", "varchar(4)"), a_column("part", "varbinary(4)"), a_column("name", "varchar(4)"))
PIPELINES = {
    mode: a_pipeline(*COLUMNS, key=("id", "part"), mode=mode, name=mode, target_table=mode)
    for mode in ("mirror", "soft_delete", "append")
}
_KEYS = st.tuples(st.sampled_from(["a", "A", "a "]), st.sampled_from(["", "00"]))
_DELETES = {"D": a_delete, "S": a_soft_delete}


@st.composite
def changes_in_objects(draw, pipeline):
    """Return rows with versions of their own, dealt out to objects with repetitions, in any order."""
    versions = draw(st.lists(st.integers(0, 50), unique=True, min_size=1, max_size=12))
    rows = []
    for version in versions:
        operation, key, time = draw(st.sampled_from("UUDS")), draw(_KEYS), 1000 * version + 1
        rows.append(
            an_upsert(pipeline, version, *key, f"v{version}", changed_at_ms=time)
            if operation == "U"
            else _DELETES[operation](pipeline, version, *key, changed_at_ms=time)
        )
    repeated = rows + draw(st.lists(st.sampled_from(rows), max_size=4))
    shuffled = draw(st.permutations(repeated))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=3)))
    return rows, [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]


@pytest.mark.parametrize("mode", PIPELINES)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), slow=st.booleans())
def test_any_order_repetition_and_splitting_over_objects_gives_the_rows_of_the_model(make_target, mode, data, slow):
    pipeline = PIPELINES[mode]
    rows, objects = data.draw(changes_in_objects(pipeline))
    target = make_target(pipeline)
    for definition in target.tables.lasting:
        if definition.name != "_ddb2aurora_horizons":
            target.query(f"TRUNCATE {definition.quoted}")

    for number, content in enumerate(objects):
        malformed = [b"malformed\n"] if slow and content else []
        outcome = target.load(*content, *malformed, key=f"{number}.csv")
        assert outcome.applied + outcome.stale + outcome.deleted == len(content)

    stamps = ", _deleted_at" if pipeline.keeps_deleted else ""
    found = {(id_, part.hex(), *values) for id_, part, *values in target.rows(f"id, part, _version, name{stamps}")}
    assert found == set(expected_of(rows, pipeline))
    target.close()


def expected_of(rows, pipeline):
    """Return what the model says in the order of columns that the test selects."""
    stamps = stamps_after(rows, pipeline=pipeline)
    versions = {(row.fields[2], row.fields[:2]): row.version for row in rows if row.operation == "U"}
    for key, (id_, part, name) in rows_after(rows, pipeline=pipeline).items():
        version = int(key[2]) if pipeline.mode == "append" else versions[name, key]
        row = (id_, part, version, name)
        if not pipeline.keeps_deleted:
            yield row
            continue
        moment = stamps.get(key)
        yield (*row, None if moment is None else dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=moment))  # noqa: DTZ001 - MySQL's times have no zone
