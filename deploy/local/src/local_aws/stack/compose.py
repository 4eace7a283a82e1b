"""
`python -m local_aws.stack.compose init|run`: the managed parts of one pipeline whose functions run in containers.

`init` makes what the pipeline needs in the emulator and in the database, and ends. `run` plays Data Firehose, the
event source mapping and the S3 notifications until it is told to stop; what it has accepted, and how far it has read,
outlive it.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from ddb2aurora.database.connect import close_quietly, connect
from ddb2aurora.database.migrate import migrate
from ddb2aurora.errors import Ddb2AuroraError
from ddb2aurora.pipeline import load_pipeline
from local_aws.firehose import FirehoseServer
from local_aws.functions import Function
from local_aws.lambda_api import LambdaServer
from local_aws.stack import resources
from local_aws.stack.clients import Clients
from local_aws.stack.compose_settings import ComposeSettings
from local_aws.stack.pipeline import LocalPipeline, Wiring

READY_FILE: Final = Path("/tmp/ready")  # noqa: S108 - of a container that runs nothing else
"""Is there while changes are carried; the container's health check looks for it."""
_USAGE: Final = 2
_FLUSH_SECONDS: Final = 5  # of the ten that a container is given to end


def make_resources(settings: ComposeSettings, environment: Mapping[str, str]) -> None:
    """
    Make bucket, topic, table with stream, and the database's tables; safe to run again.

    Raises:
        HaltError: The database cannot take the pipeline's tables.
    """
    clients = Clients(environment)
    pipeline = load_pipeline(settings.pipeline, folder=settings.pipelines_folder)
    resources.make_bucket(clients, bucket=resources.BUCKET)
    resources.announce_failures(clients, bucket=resources.BUCKET)
    resources.make_table(clients, pipeline)
    connection, server = connect(settings.database)
    try:
        migrate(connection, pipeline, server=server, database=settings.database.name or pipeline.target_database)
    finally:
        close_quietly(connection)


def carry(settings: ComposeSettings, environment: Mapping[str, str], *, stop: threading.Event) -> None:
    """Carry changes until *stop* is set."""
    pipeline = load_pipeline(settings.pipeline, folder=settings.pipelines_folder)
    settings.state_folder.mkdir(parents=True, exist_ok=True)

    def transformer(arn: str) -> Function:
        if arn != running.transformer.arn:
            raise LookupError(arn)
        return running.transformer

    with ExitStack() as started:
        firehose = FirehoseServer(
            s3=Clients(environment).s3,
            resolve_function=transformer,
            host="0.0.0.0",  # noqa: S104 - a container's own network
            port=settings.firehose_port,
            journal=settings.state_folder / "firehose",
        )
        own = {**environment, "AWS_ENDPOINT_URL_FIREHOSE": f"http://127.0.0.1:{settings.firehose_port}"}
        wiring = Wiring(
            clients=Clients(own),
            function_environment={},
            folder=settings.state_folder,
            buffer_seconds=settings.buffer_seconds,
            containers=settings.containers,
            # A database in a container needs longer to be there again.
            retry_delays_seconds=(5, 30),
        )
        running = LocalPipeline(pipeline, wiring)
        lambda_api = LambdaServer(
            functions=lambda: running.functions,
            host="0.0.0.0",  # noqa: S104 - a container's own network
            port=settings.lambda_port,
        )
        firehose.start()
        started.callback(firehose.stop, flush_seconds=_FLUSH_SECONDS)
        started.enter_context(lambda_api)
        started.callback(running.stop)
        running.start()
        started.callback(READY_FILE.unlink, missing_ok=True)
        READY_FILE.touch()
        stop.wait()


def main(arguments: list[str]) -> int:
    """Do as *arguments* say, and return the exit status."""
    environment = dict(os.environ)  # noqa: TID251 - the one place where this process reads it
    stop = threading.Event()
    commands: dict[str, Callable[[ComposeSettings], None]] = {
        "init": lambda settings: make_resources(settings, environment),
        "run": lambda settings: carry(settings, environment, stop=stop),
    }
    if len(arguments) != 1 or arguments[0] not in commands:
        sys.stderr.write(f"usage: python -m local_aws.stack.compose {'|'.join(commands)}\n")
        return _USAGE
    READY_FILE.unlink(missing_ok=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        commands[arguments[0]](ComposeSettings.from_env(environment))
    except Ddb2AuroraError as error:
        sys.stderr.write(f"local_aws: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
