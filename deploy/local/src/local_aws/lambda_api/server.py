"""Serve Invoke over HTTP for the functions of a stack."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self
from uuid import uuid4

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_aws.lambda_api.invoke import Answer, CallError, Served, parse_call
from local_aws.serving import HttpServing


class LambdaServer:
    """
    A stand-in for Lambda's Invoke behind an HTTP address, from `start` to `stop` or as a context manager.

    Signatures and policies are accepted and not evaluated.
    """

    def __init__(
        self, *, functions: Callable[[], Mapping[str, Served]], host: str = "127.0.0.1", port: int = 0
    ) -> None:
        """Serve what *functions* returns by name, asked anew at each call. Port 0 takes a free one."""
        self._functions = functions
        self._serving = HttpServing(name="lambda-http", host=host, port=port)

    def start(self) -> None:
        """
        Begin to answer; when this returns, the address can be connected to.

        Raises:
            OSError: The port is taken.
        """
        self._serving.bind()
        path = "/2015-03-31/functions/{name:path}/invocations"
        self._serving.serve(
            Starlette(routes=[Route(path, self._invoke, methods=["POST"]), Route("/health", self._health)])
        )

    def stop(self) -> None:
        """Answer no more; whoever waits for a function is cut off after some seconds."""
        self._serving.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address for an SDK's endpoint URL."""
        return self._serving.url

    async def _invoke(self, request: Request) -> Response:
        body = await request.body()
        try:
            call = parse_call(
                request.path_params["name"],
                qualifier=request.query_params.get("Qualifier"),
                kind=request.headers.get("x-amz-invocation-type"),
                body=body,
                functions=self._functions(),
            )
            # A function takes its time; the loop goes on answering others.
            answer = await run_in_threadpool(call.answer)
        except CallError as error:
            answer = error.answer()
        return _response(answer)

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok", "functions": sorted(self._functions())})


def _response(answer: Answer) -> Response:
    return Response(
        answer.body, status_code=answer.status, headers={"x-amzn-RequestId": str(uuid4()), **answer.headers}
    )
