import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddb2aurora.packing import BILLING_STEP_BYTES, PACKED_RECORD_BYTES, billed_bytes, packed


def groups_of(sizes, *, most_bytes=PACKED_RECORD_BYTES):
    return list(packed(sizes, size_of=int, most_bytes=most_bytes))


@pytest.mark.parametrize(
    ("sizes", "billed"),
    [
        ([], 0),
        ([1], 5120),
        ([5120], 5120),
        ([5121], 10_240),
        ([100, 100, 100], 3 * 5120),
        ([1_024_000], 1_024_000),
    ],
)
def test_each_record_is_billed_in_steps_of_5_kb(sizes, billed):
    assert billed_bytes(sizes) == billed


def test_a_full_record_is_billed_as_what_it_holds():
    assert billed_bytes([PACKED_RECORD_BYTES]) == PACKED_RECORD_BYTES == 10 * BILLING_STEP_BYTES


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        ([], []),
        ([4, 4, 2], [(4, 4, 2)]),
        ([4, 4, 3], [(4, 4), (3,)]),
        ([11], [(11,)]),
        ([1, 11, 1, 1], [(1,), (11,), (1, 1)]),
        ([10, 10], [(10,), (10,)]),
    ],
)
def test_lines_are_grouped_up_to_the_most_and_a_larger_one_is_alone(sizes, groups):
    assert groups_of(sizes, most_bytes=10) == groups


@given(st.lists(st.integers(1, 3 * PACKED_RECORD_BYTES), max_size=60))
def test_packing_keeps_the_order_and_never_costs_more(sizes):
    groups = groups_of(sizes)

    assert [size for group in groups for size in group] == sizes
    assert all(sum(group) <= PACKED_RECORD_BYTES or len(group) == 1 for group in groups)
    assert billed_bytes(map(sum, groups)) <= billed_bytes(sizes)


@given(st.lists(st.integers(1, PACKED_RECORD_BYTES), max_size=60))
def test_no_two_neighbours_would_have_fitted_into_one_record(sizes):
    groups = groups_of(sizes)

    assert all(sum(one) + other[0] > PACKED_RECORD_BYTES for one, other in itertools.pairwise(groups))
