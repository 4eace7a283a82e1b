"""
Run Data Firehose in the foreground until SIGTERM or SIGINT: `python -m local_aws.firehose`.

Functions are invoked through the Lambda API and objects written through that of S3, both found by the AWS SDK's own
variables. Streams are made through the API, and nothing outlives the process.
"""

import logging
import os
import signal
import sys
import threading

import boto3
from botocore.config import Config

from ddb2aurora.errors import Ddb2AuroraError
from ddb2aurora.settings import SettingsReader
from local_aws.firehose.server import FirehoseServer
from local_aws.functions import Function
from local_aws.runtime.lambda_api import LambdaApiFunction

_FLUSH_SECONDS = 5
_USAGE = 2
# Lambda lets a transformation take five minutes.
_INVOKE_SECONDS = 310
_MOST_PORT = 65_535


def main() -> int:
    """Return the exit status."""
    logging.basicConfig(level=logging.INFO)
    try:
        reader = SettingsReader(os.environ)  # noqa: TID251 - the one place where this process reads it
        host = reader.text("FIREHOSE_LISTEN_HOST", what="the address to listen on", default="127.0.0.1")
        port = reader.integer("FIREHOSE_PORT", what="the port to listen on", low=1, high=_MOST_PORT, default=4573)
        reader.finish()
    except Ddb2AuroraError as error:
        sys.stderr.write(f"firehose: {error}\n")
        return _USAGE
    # Firehose repeats a call itself, as often as the stream says.
    config = Config(read_timeout=_INVOKE_SECONDS, retries={"total_max_attempts": 1}, max_pool_connections=50)
    functions = boto3.client("lambda", config=config)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def function_of(arn: str) -> Function:
        return LambdaApiFunction(functions, arn=arn)

    server = FirehoseServer(s3=boto3.client("s3"), resolve_function=function_of, host=host, port=port)
    server.start()
    stop.wait()
    server.stop(flush_seconds=_FLUSH_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
