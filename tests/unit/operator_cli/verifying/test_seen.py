"""Sums of keys tell in which buckets two sets of keys may differ, and in which they do not."""

from hypothesis import given
from hypothesis import strategies as st

from operator_cli.verifying.seen import KeySums, everywhere, hash_of, is_in

_keys = st.sets(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=20)


def sums_of(keys):
    sums = KeySums()
    sums.add(map(hash_of, keys))
    return sums


@given(_keys, _keys)
def test_a_key_that_only_one_set_has_lies_in_a_differing_bucket(ours, theirs):
    differing = sums_of(ours).differing(sums_of(theirs))

    assert all(is_in(differing, hash_of(key)) for key in ours ^ theirs)


@given(_keys)
def test_equal_sets_differ_nowhere_whatever_the_order(keys):
    assert not any(sums_of(keys).differing(sums_of(sorted(keys, reverse=True))))


@given(_keys)
def test_sums_are_the_same_after_they_were_kept(keys):
    sums = sums_of(keys)

    assert not any(sums.differing(KeySums(sums.content())))


def test_the_parts_of_a_key_are_kept_apart():
    assert len({hash_of(("ab", "c")), hash_of(("a", "bc")), hash_of(("abc",)), hash_of(("", "abc"))}) == 4


def test_every_key_lies_everywhere():
    assert is_in(everywhere(), hash_of(("a",)))
