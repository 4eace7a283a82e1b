"""A consumer that writes down what it sees and often gives up in the middle of a batch."""

import json
import os
from pathlib import Path
from random import Random

_random = Random(os.getpid())  # noqa: S311 - where to give up, not secrets


def handler(event, _context):
    """Note each record in order; stop at one of them now and then, and say so."""
    seen = Path(os.environ["SEEN"])  # noqa: TID251 - the environment is how a test tells a function anything
    for record in event["Records"]:
        change = record["dynamodb"]
        if _random.random() < 0.05:
            return {"batchItemFailures": [{"itemIdentifier": change["SequenceNumber"]}]}
        line = json.dumps([change["Keys"]["pk"]["S"], int(change["NewImage"]["value"]["N"])])
        with seen.open("a") as file:
            file.write(line + "\n")
    return {"batchItemFailures": []}
