"""
Serve one Python function to the benchmark: serve.py ours|plain EVENT.

One request a line on standard input ({"case": "dict", "json" or "answer", "times": n}), one answer a line on file
descriptor 3. Settings of the functions come from the environment, as they do in Lambda.
"""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path

from awslambdaric.lambda_runtime_client import BaseLambdaRuntimeClient

FUNCTIONS = {"ours": ("firehose_transformer.handler", "handler"), "plain": ("plain", "handler")}


def main(name: str, event_file: str) -> None:
    module, function = FUNCTIONS[name]
    handler = getattr(import_module(module), function)
    text = Path(event_file).read_bytes()
    event = json.loads(text)
    answers = os.fdopen(3, "w")

    def through_json() -> None:
        # What awslambdaric does around a handler, which may have brought a marshaller of its own.
        marshaller = BaseLambdaRuntimeClient.marshaller
        marshaller.marshal_response(handler(marshaller.unmarshal_request(text), None))

    works = {"dict": lambda: handler(event, None), "json": through_json}
    for line in sys.stdin:
        request = json.loads(line)
        if request["case"] == "answer":
            answer = handler(event, None)
        else:
            work = works[request["case"]]
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(request["times"]):
                work()
            answer = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
