"""
The real handlers, for all pipelines in one process a stage: a process for each of a hundred pipelines is too much.

Each pipeline has a copy of the handler's module of its own, so its own `app()`, as in an execution environment of its
own; those that were not used for long are thrown away, and their connections with them. An event comes with the name
of the pipeline that it is for.
"""

import functools
import importlib.util
import os
from typing import Any


@functools.lru_cache(maxsize=24)
def _handler(stage: str, _pipeline: str) -> Any:
    spec = importlib.util.find_spec(f"{stage}.handler")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler


def _call(stage: str, addressed: dict[str, Any], context: Any) -> Any:
    name = addressed["pipeline"]
    os.environ.update(PIPELINE=name, DELIVERY_STREAM_NAME=name)  # noqa: TID251 - as Lambda sets them for a function
    return _handler(stage, name)(addressed["event"], context)


def stream_processor(addressed: dict[str, Any], context: Any) -> Any:
    return _call("stream_processor", addressed, context)


def firehose_transformer(addressed: dict[str, Any], context: Any) -> Any:
    return _call("firehose_transformer", addressed, context)


def aurora_loader(addressed: dict[str, Any], context: Any) -> Any:
    return _call("aurora_loader", addressed, context)
