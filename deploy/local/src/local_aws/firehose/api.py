"""Speak Firehose's protocol, AWS JSON 1.1 over HTTP, and tell how the stand-in is."""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from local_aws.faults import Faults
from local_aws.firehose import operations, puts
from local_aws.firehose.engine import Engine
from local_aws.firehose.errors import FirehoseError, SerializationError, UnknownOperationError

TARGET_PREFIX = "Firehose_20150804."
MEDIA_TYPE = "application/x-amz-json-1.1"
_LOG = logging.getLogger(__name__)
_ACCESS_KEY = re.compile(r"Credential=([^/]+)/")
_PUTS = {"PutRecord": puts.put_record, "PutRecordBatch": puts.put_record_batch}


class BrokenResponse(Response):
    """An answer that breaks off: the connection closes before all of its bytes were sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the shape of ASGI
        """Announce a body, send nothing of it and leave, whereupon the server closes the connection."""
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def api(engine: Engine, *, faults: Faults) -> Starlette:
    """Return the application that answers for *engine*."""
    callers: set[tuple[str, str]] = set()

    async def call(request: Request) -> Response:
        body = await request.body()
        target = request.headers.get("x-amz-target", "")
        _note_caller(callers, request, target.removeprefix(TARGET_PREFIX))
        try:
            operation = target.removeprefix(TARGET_PREFIX)
            if operation == target:
                raise UnknownOperationError("the header X-Amz-Target names no operation of Firehose")
            if operation in _PUTS:
                answer = _PUTS[operation](engine, body, faults=faults)
                if faults.strikes("firehose.lose_answer"):
                    return BrokenResponse()
            else:
                answer = operations.perform(engine, operation, _decoded(body))
        except FirehoseError as error:
            return _response({"__type": error.code, "message": str(error)}, status=error.status, error=error.code)
        return _response(answer)

    async def health(_request: Request) -> Response:
        streams = {
            name: {"waiting": engine.entry(name).stream.waiting, **statistics.as_dict()}
            for name, statistics in engine.statistics().items()
        }
        return JSONResponse({"status": "ok", "waiting": engine.waiting, "streams": streams})

    return Starlette(routes=[Route("/", call, methods=["POST"]), Route("/health", health)])


def _note_caller(callers: set[tuple[str, str]], request: Request, operation: str) -> None:
    """Log once who calls what: tests compare it with the rights that a role grants."""
    key = _ACCESS_KEY.search(request.headers.get("authorization", ""))
    caller = (operation, key[1] if key else "")
    if caller not in callers:
        callers.add(caller)
        _LOG.info("%s by %s", *caller)


def _decoded(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError as error:
        raise SerializationError(f"the body is not JSON: {error}") from error


def _response(answer: Mapping[str, Any], *, status: int = 200, error: str | None = None) -> Response:
    headers = {"x-amzn-RequestId": str(uuid4())}
    if error is not None:
        headers["x-amzn-ErrorType"] = error
    return Response(msgspec.json.encode(answer), status_code=status, headers=headers, media_type=MEDIA_TYPE)
