"""
Run one function in a process of its own, as an execution environment of Lambda does.

Started as `python -m local_aws.runtime.host HANDLER CHANNEL LIFELINE`, where the last two are inherited descriptors:
events and answers travel over the channel, and the process ends as soon as the other end of the lifeline is closed,
even while the handler works. So no process outlives whoever started it.
"""

import importlib
import io
import logging
import os
import socket
import sys
import threading
import time

from local_aws.functions import FunctionError
from local_aws.runtime import frames
from local_aws.runtime.marshalling import Handler, call, context_of, reported

_request_id = ""


def main(handler_name: str, channel_fd: int, lifeline_fd: int) -> None:
    """Serve invocations one at a time until the other end closes."""
    threading.Thread(target=_end_with, args=(lifeline_fd,), daemon=True, name="lifeline").start()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    _log_to_stdout()
    channel = socket.socket(fileno=channel_fd)
    handler = _load(handler_name)
    try:
        frames.send(channel, {})  # The time limit of the first invocation starts after the code is loaded.
        while True:
            _serve_one(channel, handler)
            if isinstance(handler, FunctionError):
                return  # Lambda starts a fresh environment after one that could not load its code.
    except frames.ClosedError:
        return


def _serve_one(channel: socket.socket, handler: Handler | FunctionError) -> None:
    global _request_id  # noqa: PLW0603 - the log names the one invocation that the process works on
    head, event = frames.receive(channel)
    _request_id = head["request_id"]
    context = context_of(_request_id, arn=head["arn"], deadline_ms=head["deadline_ms"])
    result = handler if isinstance(handler, FunctionError) else call(handler, event, context)
    sys.stdout.flush()
    if isinstance(result, FunctionError):
        last = isinstance(handler, FunctionError)
        frames.send(channel, {"error_type": result.error_type, "message": result.message, "last": last})
    else:
        frames.send(channel, {}, result)


def _load(name: str) -> Handler | FunctionError:
    """Return the handler called *name*, or what the runtime reports when it cannot be had."""
    module_name, _, attribute = name.rpartition(".")
    try:
        found: Handler = getattr(importlib.import_module(module_name), attribute)
    except ImportError as error:
        return reported("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}", error)
    except SyntaxError as error:
        return reported("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", error)
    except AttributeError as error:
        if hasattr(sys.modules.get(module_name), attribute) or module_name not in sys.modules:
            return reported(type(error).__name__, str(error), error)
        return reported("Runtime.HandlerNotFound", f"Handler '{attribute}' missing on module '{module_name}'", error)
    except Exception as error:  # noqa: BLE001 - whatever a module raises while it loads is the answer
        return reported(type(error).__name__, str(error), error)
    return found


def _log_to_stdout() -> None:
    """Install the root log handler of Lambda's runtime, so that `logging.basicConfig` does nothing, as there."""
    handler = logging.StreamHandler(sys.stdout)
    line = logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s")
    line.datefmt = "%Y-%m-%dT%H:%M:%S"
    line.converter = time.gmtime
    handler.setFormatter(line)
    handler.addFilter(_name_the_request)
    logging.getLogger().addHandler(handler)


def _name_the_request(record: logging.LogRecord) -> bool:
    record.aws_request_id = _request_id
    return True


def _end_with(lifeline_fd: int) -> None:
    os.read(lifeline_fd, 1)  # Nothing is ever written: this returns when the last writer is gone.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
