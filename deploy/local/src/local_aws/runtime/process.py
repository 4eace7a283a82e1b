"""A function that runs as on Lambda: in processes of its own, each with one invocation at a time."""

import os
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from random import Random
from threading import Condition
from typing import Any

from local_aws.faults import NO_FAULTS, Faults
from local_aws.functions import FunctionError, Invocation
from local_aws.runtime import answers
from local_aws.runtime.environment import Environment
from local_aws.runtime.frames import ClosedError

_VERSION = "$LATEST"
_FIRST_GUESS_SECONDS = 0.05


class ProcessFunction:
    """
    Run *handler* in up to *concurrency* processes, started on demand and used again.

    The processes see exactly *environment* and the variables that Lambda sets. What they print is appended to
    *log_path*. An invocation that finds no free place waits up to *wait_seconds* (None: as long as it takes), then is
    throttled. May be called from several threads.
    """

    def __init__(
        self,
        *,
        name: str,
        handler: str,
        environment: Mapping[str, str],
        log_path: Path,
        timeout_seconds: float = 3,
        memory_mb: int = 128,
        concurrency: int = 1,
        wait_seconds: float | None = None,
        faults: Faults = NO_FAULTS,
        region: str = "us-east-1",
        account: str = "000000000000",
    ) -> None:
        self._name = name
        self._handler = handler
        self._log_path = log_path
        self._timeout_seconds = timeout_seconds
        self._concurrency = concurrency
        self._wait_seconds = wait_seconds
        self._faults = faults
        self._unqualified_arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
        self._variables = {**environment, **_variables_of_lambda(name, handler, memory_mb, region)}
        self._condition = Condition()
        self._idle: list[Environment] = []
        self._busy: set[Environment] = set()
        self._outdated: set[Environment] = set()
        self._places_taken = 0
        self._stopped = False
        self._random = Random(name)  # noqa: S311 - moments of injected faults, not secrets
        self._usual_seconds = _FIRST_GUESS_SECONDS

    @property
    def name(self) -> str:
        """The function's name."""
        return self._name

    @property
    def arn(self) -> str:
        """The function's ARN, with its version."""
        return f"{self._unqualified_arn}:{_VERSION}"

    @property
    def pids(self) -> tuple[int, ...]:
        """The ids of the processes that run now."""
        with self._condition:
            return tuple(sorted(place.pid for place in (*self._idle, *self._busy) if place.alive))

    def invoke(self, event: Any) -> Invocation:  # noqa: ANN401 - any JSON value is an event
        """Run the function on *event* and wait for its answer. Never raises for what the function did."""
        request_id = str(uuid.uuid4())
        body = answers.encoded(event)
        if len(body) > answers.MAX_REQUEST_BYTES:
            return answers.failed(request_id, answers.too_large_request(len(body)))
        if not self._take_place():
            return answers.failed(request_id, answers.throttled("Rate Exceeded."))
        try:
            result = self._run(body, request_id)
        finally:
            self._free_place()
        if isinstance(result, FunctionError):
            return answers.failed(request_id, result)
        return answers.answered(request_id, result)

    def deploy(self, **variables: str) -> None:
        """
        Change *variables* of the environment, as a new version of a function does.

        As on Lambda, invocations that run go on to their end with what they had, beside new ones.
        """
        with self._condition:
            self._variables = {**self._variables, **variables}
            idle, self._idle = self._idle, []
            self._outdated |= self._busy
        for environment in idle:
            environment.stop()

    def stop(self) -> None:
        """End every process, also those at work; later invocations are throttled."""
        with self._condition:
            self._stopped = True
            idle, self._idle = self._idle, []
            for busy in self._busy:
                busy.interrupt()  # The thread that waits for the answer sees the end and cleans up.
            self._condition.notify_all()
        for environment in idle:
            environment.stop()
        with self._condition:
            self._condition.wait_for(lambda: not self._busy)

    def _take_place(self) -> bool:
        def settled() -> bool:
            return self._stopped or self._places_taken < self._concurrency

        with self._condition:
            if not self._condition.wait_for(settled, self._wait_seconds) or self._stopped:
                return False
            self._places_taken += 1
            return True

    def _free_place(self) -> None:
        with self._condition:
            self._places_taken -= 1
            self._condition.notify()

    def _run(self, body: bytes, request_id: str) -> bytes | FunctionError:
        environment = self._environment()
        if environment is None:
            return answers.throttled("The function is stopped.")
        keep = False
        try:
            result = self._converse(environment, body, request_id)
            keep = environment.alive and environment.usable
        except ClosedError:
            result = answers.process_ended(request_id, environment.collect())
        except TimeoutError:
            result = answers.timed_out(request_id, self._timeout_seconds)
        except _KilledError:
            result = answers.process_ended(request_id, environment.kill())
        finally:
            self._release(environment, keep=keep)
        return result

    def _converse(self, environment: Environment, body: bytes, request_id: str) -> bytes | FunctionError:
        environment.wait_until_loaded(timeout_seconds=self._timeout_seconds)
        if self._faults.strikes("function.crash_before"):
            raise _KilledError
        patience_seconds = self._timeout_seconds
        crash = self._faults.strikes("function.crash_during")
        if crash:
            patience_seconds = min(patience_seconds, self._random.uniform(0, self._usual_seconds))
        started = time.monotonic()
        environment.send(body, request_id=request_id, arn=self._unqualified_arn, timeout_seconds=self._timeout_seconds)
        try:
            result = environment.receive(deadline=started + patience_seconds)
        except TimeoutError:
            if crash:
                raise _KilledError from None
            raise
        self._usual_seconds = time.monotonic() - started
        if self._faults.strikes("function.lose_answer"):
            raise _KilledError
        return result

    def _environment(self) -> Environment | None:
        """Return a process for one invocation, a used one if there is any; none once the function is stopped."""
        with self._condition:
            while self._idle and not self._stopped:
                environment = self._idle.pop()
                if environment.alive:
                    self._busy.add(environment)
                    return environment
                environment.collect()
            if self._stopped:
                return None
            environment = Environment(handler=self._handler, variables=self._variables, log_path=self._log_path)
            self._busy.add(environment)
            return environment

    def _release(self, environment: Environment, *, keep: bool) -> None:
        with self._condition:
            keep = keep and not self._stopped and environment not in self._outdated
            self._outdated.discard(environment)
            if keep:
                self._busy.discard(environment)
                self._idle.append(environment)
        if not keep:
            environment.kill()
            with self._condition:
                self._busy.discard(environment)
                self._condition.notify_all()


class _KilledError(Exception):
    """A fault is to kill the process now."""


def _variables_of_lambda(name: str, handler: str, memory_mb: int, region: str) -> dict[str, str]:
    """Return what Lambda sets for every function, and what lets an interpreter start without the user's shell."""
    return {
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": _VERSION,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "_HANDLER": handler,
        "LANG": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "TZ": ":UTC",
    }
