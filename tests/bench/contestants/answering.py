"""
How a contestant in Python answers the benchmark.

One request a line on standard input ({"case": NAME, "times": n}), one answer a line on file descriptor 3.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from awslambdaric.lambda_runtime_client import BaseLambdaRuntimeClient


def answer_requests(
    handler: Callable[[Any, Any], object], text: bytes, *, told: Mapping[str, Callable[[Any], object]]
) -> None:
    """
    Answer until no more is asked for.

    Of the cases "dict" and "json", the event in *text* as it is and through its text as in Lambda, the seconds are
    answered that *times* of it take; of a case of *told*, what that returns of the event.
    """
    event = json.loads(text)
    answers = os.fdopen(3, "w")

    def through_json() -> None:
        # What awslambdaric does around a handler, which may have brought a marshaller of its own.
        marshaller = BaseLambdaRuntimeClient.marshaller
        marshaller.marshal_response(handler(marshaller.unmarshal_request(text), None))

    works = {"dict": lambda: handler(event, None), "json": through_json}
    for line in sys.stdin:
        request = json.loads(line)
        if request["case"] in told:
            answer = told[request["case"]](event)
        else:
            work = works[request["case"]]
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(request["times"]):
                work()
            answer = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
