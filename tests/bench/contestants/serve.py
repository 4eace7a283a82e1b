"""
Serve one Python function to the benchmark: serve.py ours|plain EVENT.

Requests are those of `answering`; `case: answer` answers what the function returns. Settings of the functions come from
the environment, as they do in Lambda.
"""

import sys
from importlib import import_module
from pathlib import Path

from answering import answer_requests

FUNCTIONS = {"ours": ("firehose_transformer.handler", "handler"), "plain": ("plain", "handler")}


def main(name: str, event_file: str) -> None:
    module, function = FUNCTIONS[name]
    handler = getattr(import_module(module), function)
    answer_requests(handler, Path(event_file).read_bytes(), told={"answer": lambda event: handler(event, None)})


if __name__ == "__main__":
    main(*sys.argv[1:])
