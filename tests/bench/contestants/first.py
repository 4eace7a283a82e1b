"""
Start a function as Lambda does and let it answer once: first.py transformer|plain|stream-processor|nothing EVENT.

The stream-processor is made ready only, as its answer is one of Firehose.
"""

import json
import sys
from pathlib import Path


def main(name: str, event_file: str) -> None:
    if name == "stream-processor":
        from stream_processor.handler import app  # noqa: PLC0415 - what is measured

        app()
    elif name == "transformer":
        from firehose_transformer.handler import handler  # noqa: PLC0415 - what is measured

        handler(json.loads(Path(event_file).read_bytes()), None)
    elif name == "plain":
        import plain  # noqa: PLC0415 - what is measured

        plain.handler(json.loads(Path(event_file).read_bytes()), None)


if __name__ == "__main__":
    main(*sys.argv[1:])
