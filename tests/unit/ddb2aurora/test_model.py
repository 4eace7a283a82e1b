import random

import pytest
from builders import a_column, a_pipeline
from hypothesis import given
from hypothesis import strategies as st

from ddb2aurora.dialect import Row
from ddb2aurora.model import rows_after, stamps_after

PIPELINE = a_pipeline()


def _put(key, version, n="1"):
    return Row(PIPELINE.shape, "U", version, 1, (key, n, None))


def _delete(key, version):
    return Row(PIPELINE.shape, "D", version, 1, (key, None, None))


# A version names one change; what the change is follows from it.
_histories = st.lists(
    st.builds(
        lambda key, deleted, version: _delete(key, version) if deleted else _put(key, version, str(version)),
        st.sampled_from(["a", "A", "a ", ""]),
        st.booleans(),
        st.integers(0, 10**60),
    ),
    unique_by=lambda row: row.version,
)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], {}),
        ([_put("a", 1)], {("a",): ("a", "1", None)}),
        ([_put("a", 2, "2"), _put("a", 1, "1")], {("a",): ("a", "2", None)}),
        ([_put("a", 1), _delete("a", 2)], {}),
        ([_delete("a", 2), _put("a", 1)], {}),
        ([_delete("a", 2), _put("a", 3)], {("a",): ("a", "1", None)}),
        ([_put("a", 0), _put("a", 1, "2")], {("a",): ("a", "2", None)}),
        ([_put("a", 1), _put("A", 2), _put("a ", 3)], {(key,): (key, "1", None) for key in ("a", "A", "a ")}),
        ([_delete("a", 1)], {}),
    ],
)
def test_the_newest_change_of_a_key_decides(rows, expected):
    assert rows_after(rows, pipeline=PIPELINE) == expected


@pytest.mark.parametrize("mode", ["mirror", "soft_delete", "append"])
@given(history=_histories, shuffler=st.randoms(use_true_random=False), data=st.data())
def test_order_and_repetition_of_the_changes_do_not_matter(mode, history, shuffler: random.Random, data):
    pipeline = a_pipeline(mode=mode)
    if mode == "soft_delete":
        history = [row._replace(operation=data.draw(st.sampled_from(["D", "S", row.operation]))) for row in history]
    repeated = history + data.draw(st.lists(st.sampled_from(history))) if history else []
    shuffler.shuffle(repeated)

    assert rows_after(repeated, pipeline=pipeline) == rows_after(history, pipeline=pipeline)
    assert stamps_after(repeated, pipeline=pipeline) == stamps_after(history, pipeline=pipeline)


@given(_histories, st.integers(0, 20))
def test_only_the_last_word_on_each_key_need_be_kept(history, cut):
    batches = [history[:cut], history[cut:]]
    newest = [max(rows, key=lambda row: row.version) for rows in _by_key(batches[0]).values()]

    assert rows_after(newest + batches[1], pipeline=PIPELINE) == rows_after(history, pipeline=PIPELINE)


def _by_key(rows):
    grouped = {}
    for row in rows:
        grouped.setdefault(row.fields[0], []).append(row)
    return grouped


def test_a_key_of_two_columns_is_a_key_of_both():
    pipeline = a_pipeline(
        source_key=("hash", "range"),
        columns=(a_column("v", "int"), a_column("r", "varchar(9)", source="range"), a_column("hash", "varchar(9)")),
    )
    rows = [Row(pipeline.shape, "U", 1, 1, (str(n), r, h)) for n, (h, r) in enumerate(["ab", "ac", "bb"])]

    assert rows_after(rows, pipeline=pipeline) == {
        ("a", "b"): ("0", "b", "a"),
        ("a", "c"): ("1", "c", "a"),
        ("b", "b"): ("2", "b", "b"),
    }
