import pytest

from local_aws.event_source.outcome import FailedFrom, FailedWhole, NotRun, Succeeded, interpret
from local_aws.functions import FunctionError, Invocation

ONE, TWO, THREE = f"{1:021d}", f"{2:021d}", f"{3:021d}"


@pytest.fixture
def outcome_of(a_record):
    def outcome(payload=None, error=None, *, reports=True):
        records = [a_record(sequence) for sequence in (1, 2, 3)]
        return interpret(Invocation("r", payload, error), records=records, reports_item_failures=reports)

    return outcome


def failures(*identifiers):
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


@pytest.mark.parametrize("payload", [None, {}, "", {"batchItemFailures": []}, {"batchItemFailures": None}, {"a": 1}])
def test_an_empty_answer_or_an_empty_list_is_full_success(outcome_of, payload):
    assert outcome_of(payload) == Succeeded()


@pytest.mark.parametrize(
    ("identifiers", "first"), [([TWO], 2), ([THREE, TWO], 2), ([ONE, TWO, THREE], 1), ([THREE], 3), ([TWO, TWO], 2)]
)
def test_the_lowest_number_is_the_checkpoint_and_it_and_all_after_it_are_retried(outcome_of, identifiers, first):
    assert outcome_of(failures(*identifiers)) == FailedFrom(first)


def test_the_lowest_number_is_the_lowest_as_a_number_and_not_as_text(a_record):
    short, long = "9" * 21, "1" + "0" * 24
    records = [
        a_record(1).__class__(sequence_number=n, item=0, created_at=0, size_bytes=1, event={}) for n in (short, long)
    ]

    outcome = interpret(Invocation("r", failures(long, short)), records=records, reports_item_failures=True)

    assert outcome == FailedFrom(int(short))


@pytest.mark.parametrize(
    "payload",
    [
        failures(""),
        failures(None),
        failures(TWO, ""),
        {"batchItemFailures": [{"itemId": TWO}]},
        {"batchItemFailures": [TWO]},
        {"batchItemFailures": "all"},
        {"batchItemFailures": {"itemIdentifier": TWO}},
        ["not an object"],
        "not an object",
    ],
)
def test_an_empty_or_misnamed_identifier_fails_the_whole_batch(outcome_of, payload):
    assert outcome_of(payload) == FailedWhole()


@pytest.mark.parametrize("identifier", [f"{4:021d}", "2"])
def test_an_identifier_that_is_not_in_the_batch_fails_the_whole_batch(outcome_of, identifier):
    assert outcome_of(failures(TWO, identifier)) == FailedWhole()


@pytest.mark.parametrize("kind", ["Unhandled", "TimedOut"])
def test_an_exception_or_a_timeout_fails_the_whole_batch(outcome_of, kind):
    assert outcome_of(error=FunctionError(kind, "ValueError", "boom")) == FailedWhole()


@pytest.mark.parametrize("kind", ["Throttled", "NotFound"])
def test_a_throttle_is_no_attempt(outcome_of, kind):
    assert outcome_of(error=FunctionError(kind, "x", "y")) == NotRun()


def test_without_the_response_type_the_answer_is_ignored(outcome_of):
    assert outcome_of(failures(TWO), reports=False) == Succeeded()
