"""
The JSON around a handler: events and answers are read and written by msgspec, several times as fast as by the runtime.

awslambdaric lets a function put a marshaller of its own in the place of `BaseLambdaRuntimeClient.marshaller`. Ours
reads and writes what it can, and leaves everything else to the one that was there: half of a surrogate pair, and the
words for what is no JSON. It is for answers without floats, as infinity has no place in JSON.
"""

import sys
from typing import Any, Final, Protocol

import msgspec

_RUNTIME_CLIENT: Final = "awslambdaric.lambda_runtime_client"
_JSON: Final = "application/json"
_DECODER: Final = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class Marshaller(Protocol):
    """What awslambdaric asks for the event of an invocation, and for the bytes of its answer."""

    def unmarshal_request(self, request: bytes, content_type: str = _JSON) -> Any:  # noqa: ANN401 - any JSON value
        """Return the event in *request*."""
        ...

    def marshal_response(self, response: Any) -> tuple[str | bytes, str]:  # noqa: ANN401 - any JSON value
        """Return *response* as the body of an answer, and its content type."""
        ...


class QuickMarshaller:
    """A marshaller that is quick where it can be, and like the *former* one for the rest."""

    def __init__(self, former: Marshaller) -> None:
        """Stand before *former*."""
        self._former = former

    def unmarshal_request(self, request: bytes, content_type: str = _JSON) -> Any:  # noqa: ANN401 - any JSON value
        """Return the event in *request*."""
        if content_type == _JSON:
            try:
                return _DECODER.decode(request)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                pass  # whatever it is, the former has a value or the words for it
        return self._former.unmarshal_request(request, content_type)

    def marshal_response(self, response: Any) -> tuple[str | bytes, str]:  # noqa: ANN401 - any JSON value
        """Return *response* as the body of an answer, and its content type."""
        if type(response) is dict:
            try:
                return _ENCODER.encode(response), _JSON
            except (msgspec.MsgspecError, UnicodeError, TypeError, RecursionError):
                pass
        return self._former.marshal_response(response)


def use_quick_json() -> None:
    """Use the quick marshaller from the next invocation on, where awslambdaric runs this process; once is enough."""
    client = sys.modules.get(_RUNTIME_CLIENT)
    if client is not None and not isinstance(client.BaseLambdaRuntimeClient.marshaller, QuickMarshaller):
        client.BaseLambdaRuntimeClient.marshaller = QuickMarshaller(client.BaseLambdaRuntimeClient.marshaller)
