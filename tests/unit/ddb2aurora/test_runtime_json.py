"""Events and answers are the same whether the runtime's own marshaller or ours reads and writes them."""

import json
from decimal import Decimal

import pytest
from awslambdaric import lambda_runtime_client
from awslambdaric.lambda_runtime_exception import FaultException
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller
from hypothesis import given
from hypothesis import strategies as st

from ddb2aurora.runtime_json import QuickMarshaller, use_quick_json

FORMER = LambdaMarshaller()
QUICK = QuickMarshaller(FORMER)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def outcome(marshaller, request_body):
    try:
        return repr(marshaller.unmarshal_request(request_body))
    except FaultException as error:
        return error.msg


@given(st.dictionaries(st.text(), VALUES), st.booleans())
def test_an_event_is_read_as_the_runtime_reads_it(event, is_ascii):
    request = json.dumps(event, ensure_ascii=is_ascii).encode(errors="surrogatepass")

    assert repr(QUICK.unmarshal_request(request)) == repr(FORMER.unmarshal_request(request))


@pytest.mark.parametrize(
    "request_body",
    [
        b'{"a": "\\ud800"}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 400 + b"}",
        b'{"a": 1, "a": 2}',
    ],
    ids=["half a surrogate pair", "not a number", "infinity", "a large number", "many digits", "a name twice"],
)
def test_an_odd_event_is_read_or_refused_as_the_runtime_does(request_body):
    assert outcome(QUICK, request_body) == outcome(FORMER, request_body)


@given(st.dictionaries(st.text(), VALUES))
def test_an_answer_means_what_the_runtime_writes(answer):
    body, content_type = QUICK.marshal_response(answer)

    assert (json.loads(body), content_type) == (json.loads(FORMER.marshal_response(answer)[0]), "application/json")


@pytest.mark.parametrize(
    "answer", [b"bytes", None, "text", [1], {"a": "\ud800"}, {"a": Decimal("1.50")}, {1: 2}], ids=repr
)
def test_an_odd_answer_is_written_as_the_runtime_writes_it(answer):
    body, content_type = QUICK.marshal_response(answer)
    as_text = body.decode() if isinstance(answer, dict) and isinstance(body, bytes) else body

    former = FORMER.marshal_response(answer)
    assert (as_text.replace(" ", "") if isinstance(as_text, str) else as_text, content_type) == (
        former[0].replace(" ", "") if isinstance(former[0], str) else former[0],
        former[1],
    )


def test_what_is_no_json_gets_the_words_of_the_runtime():
    with pytest.raises(FaultException, match="Unable to unmarshal input"):
        QUICK.unmarshal_request(b"{")


def test_a_request_of_another_type_is_handed_over_as_it_is():
    assert QUICK.unmarshal_request(b"{}", "text/plain") == b"{}"


def test_an_answer_that_is_no_json_gets_the_words_of_the_runtime():
    with pytest.raises(FaultException, match="Unable to marshal response"):
        QUICK.marshal_response({"a": object()})


def test_the_runtime_is_given_the_quick_marshaller_once(monkeypatch):
    monkeypatch.setattr(lambda_runtime_client.BaseLambdaRuntimeClient, "marshaller", FORMER)

    use_quick_json()
    first = lambda_runtime_client.BaseLambdaRuntimeClient.marshaller
    use_quick_json()

    assert isinstance(first, QuickMarshaller)
    assert lambda_runtime_client.BaseLambdaRuntimeClient.marshaller is first


def test_without_the_runtime_nothing_is_done(monkeypatch):
    monkeypatch.delitem(__import__("sys").modules, "awslambdaric.lambda_runtime_client")

    use_quick_json()
