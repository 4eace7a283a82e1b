import json

import pytest

from local_aws.firehose import answers
from local_aws.firehose.answers import Verdict
from local_aws.firehose.records import Failure, Part, Record
from local_aws.functions import FunctionError

FIRST = Record(1, 1000, b"one")
SECOND = Record(2, 2000, b"two")


def ok(record, data="b2s="):
    return {"recordId": record.id, "result": "Ok", "data": data}


def codes_of(verdict):
    return [(record.number, failure.code) for record, failure in verdict.failed]


def test_a_request_has_the_shape_that_firehose_sends():
    # AWS: Data transformation, request
    event = answers.request([FIRST], invocation_id="i-1", stream_arn="arn:stream", region="eu-west-1")

    assert event == {
        "invocationId": "i-1",
        "deliveryStreamArn": "arn:stream",
        "region": "eu-west-1",
        "records": [
            {
                "recordId": "49000000000001000000000000000000000000000000000000000001000000",
                "approximateArrivalTimestamp": 1000,
                "data": "b25l",
            }
        ],
    }


@pytest.mark.parametrize("size", [0, 1, 2, 3, 1000])
def test_a_record_weighs_at_least_what_it_adds_to_the_request(size):
    record = Record(10**20, 10**13, b"x" * size)
    alone = answers.request([record], invocation_id="i", stream_arn="a", region="r")
    none = answers.request([], invocation_id="i", stream_arn="a", region="r")

    added = len(json.dumps(alone)) - len(json.dumps(none))

    assert added <= answers.request_weight(record) <= added + 40


def test_each_record_has_its_own_fate():
    # AWS: Required parameters for data transformation
    third = Record(3, 3000, b"three")
    payload = {
        "records": [
            ok(FIRST, "T05F"),
            {"recordId": SECOND.id, "result": "Dropped"},
            {"recordId": third.id, "result": "ProcessingFailed", "data": None},
        ]
    }

    verdict = answers.judged([FIRST, SECOND, third], payload)

    assert (verdict.parts, verdict.dropped) == ((Part(1, 1000, b"ONE"),), (SECOND,))
    assert codes_of(verdict) == [(3, "Lambda.ProcessingFailedStatus")]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        pytest.param(None, "Lambda.JsonProcessingException", id="no answer"),
        pytest.param("text", "Lambda.JsonProcessingException", id="not an object"),
        pytest.param({"Records": []}, "Lambda.JsonProcessingException", id="no records"),
        pytest.param({"records": {}}, "Lambda.JsonProcessingException", id="records is not a list"),
        pytest.param({"records": [ok(FIRST), 7]}, "Lambda.FunctionError", id="an entry is not an object"),
        pytest.param({"records": [{"result": "Dropped"}]}, "Lambda.FunctionError", id="an entry has no id"),
        pytest.param({"records": [ok(FIRST) | {"result": "OK"}]}, "Lambda.FunctionError", id="OK instead of Ok"),
        pytest.param({"records": [ok(FIRST) | {"result": []}]}, "Lambda.FunctionError", id="result is not text"),
        pytest.param({"records": [ok(FIRST, None)]}, "Lambda.InvalidReturnFormat", id="Ok with null data"),
        pytest.param({"records": [ok(FIRST, "a!b=")]}, "Lambda.JsonMappingException", id="data is not base64"),
        pytest.param({"records": [ok(FIRST, "é")]}, "Lambda.JsonMappingException", id="data is not ASCII"),
    ],
)
def test_a_malformed_answer_fails_the_whole_batch(payload, code):
    # AWS: Handle failure in data transformation
    verdict = answers.judged([FIRST, SECOND], payload)

    assert (verdict.parts, verdict.dropped, codes_of(verdict)) == ((), (), [(1, code), (2, code)])


def test_a_record_that_the_answer_lacks_fails_alone():
    # AWS: Handle failure in data transformation, Lambda.MissingRecordId
    verdict = answers.judged([FIRST, SECOND], {"records": [ok(SECOND)]})

    assert (verdict.parts, codes_of(verdict)) == ((Part(2, 2000, b"ok"),), [(1, "Lambda.MissingRecordId")])


def test_a_record_that_is_answered_twice_fails_alone():
    # AWS: Handle failure in data transformation, Lambda.DuplicatedRecordId
    verdict = answers.judged([FIRST, SECOND], {"records": [ok(FIRST), ok(SECOND), ok(FIRST)]})

    assert (verdict.parts, codes_of(verdict)) == ((Part(2, 2000, b"ok"),), [(1, "Lambda.DuplicatedRecordId")])


def test_an_answer_about_an_unknown_record_is_ignored():
    # AWS: Handle failure in data transformation
    stranger = Record(9, 9000, b"")

    verdict = answers.judged([FIRST], {"records": [ok(FIRST), ok(stranger)]})

    assert verdict == Verdict(parts=(Part(1, 1000, b"ok"),))


def test_empty_data_with_ok_is_a_record_of_no_bytes():
    verdict = answers.judged([FIRST], {"records": [ok(FIRST, "")]})

    assert verdict == Verdict(parts=(Part(1, 1000, b""),))


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("Unhandled", "Lambda.FunctionError"),
        ("TimedOut", "Lambda.FunctionTimedOut"),
        ("Throttled", "Lambda.InvokeLimitExceeded"),
        ("NotFound", "Lambda.ResourceNotFound"),
    ],
)
def test_an_error_of_the_invocation_has_its_code(kind, code):
    # AWS: Handle failure in data transformation
    assert answers.failure_of(FunctionError(kind, "x", "y")).code == code


def test_an_answer_of_6_mb_is_let_through_and_a_byte_more_is_an_error_of_the_function():
    # AWS: Lambda quotas, synchronous payload of 6 MB
    fitting = "x" * (answers.MOST_PAYLOAD_BYTES - 2)

    assert answers.oversized(fitting) is None
    assert answers.oversized(fitting + "x").code == "Lambda.FunctionError"


def test_an_error_object_has_one_line_of_json_with_numbers_a_record():
    # AWS: Handle failure in data transformation; live objects have JSON numbers
    part = answers.error_part(FIRST, Failure("Lambda.X", "why"), attempts=4, ended_ms=99, lambda_arn="arn:f")

    assert part == Part(
        1,
        1000,
        b'{"attemptsMade":4,"arrivalTimestamp":1000,"errorCode":"Lambda.X","errorMessage":"why",'
        b'"attemptEndingTimestamp":99,"rawData":"b25l","lambdaArn":"arn:f"}\n',
    )
