"""The property of the promise: the rows depend on the set of changes, not on order, repetition or objects."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loader_fixtures import a_column, a_delete, a_pipeline, an_upsert

from ddb2aurora.model import rows_after

PIPELINE = a_pipeline(
    a_column("id", "varchar(4)"), a_column("part", "varbinary(4)"), a_column("name", "varchar(4)"), key=("id", "part")
)
_KEYS = st.tuples(st.sampled_from(["a", "A", "a "]), st.sampled_from(["", "00"]))


@st.composite
def changes_in_objects(draw):
    """Return rows with versions of their own, dealt out to objects with repetitions, in any order."""
    versions = draw(st.lists(st.integers(0, 50), unique=True, min_size=1, max_size=12))
    rows = [
        an_upsert(PIPELINE, version, *draw(_KEYS), f"v{version}")
        if draw(st.booleans())
        else a_delete(PIPELINE, version, *draw(_KEYS))
        for version in versions
    ]
    repeated = rows + draw(st.lists(st.sampled_from(rows), max_size=4))
    shuffled = draw(st.permutations(repeated))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=3)))
    return rows, [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(changes=changes_in_objects(), slow=st.booleans())
def test_any_order_repetition_and_splitting_over_objects_gives_the_rows_of_the_model(make_target, changes, slow):
    rows, objects = changes
    target = make_target(PIPELINE)
    for table in ("Things", "Things__tombstones", "_ddb2aurora_loads", "_ddb2aurora_rejects"):
        target.query(f"TRUNCATE `{target.database.name}`.{table}")

    for number, content in enumerate(objects):
        malformed = [b"malformed\n"] if slow and content else []
        outcome = target.load(*content, *malformed, key=f"{number}.csv")
        assert outcome.applied + outcome.stale + outcome.deleted == len(content)

    expected = rows_after(rows, pipeline=PIPELINE)
    found = {(id_, part.hex(), name) for id_, part, name in target.rows()}
    assert found == set(expected.values())
    target.close()
