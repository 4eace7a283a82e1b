import pytest

from ddb2aurora.errors import Ddb2AuroraError, HaltError, Reason, RejectError, RetryError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (RejectError(Reason.MISFIT), "misfit"),
        (RejectError(Reason.MISFIT, pointer="/a/0"), "misfit at /a/0"),
        (RejectError(Reason.MISFIT, detail="too long"), "misfit: too long"),
        (RejectError(Reason.MISFIT, pointer="/a/0", detail="too long"), "misfit at /a/0: too long"),
    ],
)
def test_a_reject_says_its_reason_its_place_and_the_broken_rule(error, text):
    assert str(error) == text


@pytest.mark.parametrize("kind", [HaltError, RetryError, RejectError])
def test_every_decision_is_an_error_of_ours(kind):
    assert issubclass(kind, Ddb2AuroraError)
