"""Waiting ends: with an answer, or with the time."""

import pytest

from deploy_aws.waiting import WaitedTooLongError, Waiter


class Clock:
    def __init__(self):
        self.now, self.pauses = 0.0, []

    def sleep(self, seconds):
        self.now += seconds
        self.pauses.append(seconds)

    def waiter(self):
        return Waiter(clock=lambda: self.now, sleep=self.sleep)


def test_the_first_answer_that_is_not_none_is_returned():
    clock, answers = Clock(), iter([None, None, 0])

    assert clock.waiter().until(lambda: next(answers), seconds=60, what="it") == 0
    assert len(clock.pauses) == 2


def test_the_time_is_kept_to_the_second_and_the_last_question_comes_at_its_end():
    clock, asked = Clock(), []

    with pytest.raises(WaitedTooLongError, match=r"^it took longer than 2 minutes; see why, then run it again$"):
        clock.waiter().until(lambda: asked.append(clock.now), seconds=120, what="it")

    assert asked[-1] == pytest.approx(120)


def test_pauses_grow_to_a_limit_and_are_never_quite_the_same():
    clock = Clock()

    with pytest.raises(WaitedTooLongError):
        clock.waiter().until(lambda: None, seconds=600, what="it")

    assert 0.3 < clock.pauses[0] < 0.7
    assert max(clock.pauses) < 13.1
    assert len(set(clock.pauses[10:-1])) > 10
