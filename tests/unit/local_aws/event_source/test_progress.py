from hypothesis import given
from hypothesis import strategies as st

from local_aws.event_source.progress import Progress


def test_the_checkpoint_stays_before_a_record_that_is_open():
    progress = Progress()
    progress.read(["1", "2", "3", "4"])

    assert progress.done(["2", "3"]) is None
    assert progress.pending == 2
    assert progress.done(["1"]) == "3"
    assert progress.done(["4"]) == "4"
    assert progress.pending == 0


@given(st.permutations(range(12)))
def test_in_whatever_order_records_are_done_everything_up_to_the_checkpoint_is_done(order):
    progress = Progress()
    progress.read(str(number) for number in range(12))
    done = set()
    checkpoint = -1

    for number in order:
        done.add(number)
        moved = progress.done([str(number)])
        checkpoint = checkpoint if moved is None else int(moved)
        assert set(range(checkpoint + 1)) <= done
        assert checkpoint + 1 not in done

    assert checkpoint == 11
