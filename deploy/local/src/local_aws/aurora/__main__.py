"""Run the proxy in the foreground until SIGTERM or SIGINT: `python -m local_aws.aurora`."""

import contextlib
import logging
import os
import signal
import sys
import threading

import boto3
from botocore.config import Config

from local_aws.aurora.door import Door
from local_aws.aurora.proxy import AuroraProxy
from local_aws.aurora.settings import Settings
from local_aws.services.ports import LOOPBACK


def main() -> int:
    """Return the exit status."""
    logging.basicConfig(level=logging.INFO)
    try:
        settings = Settings.from_env(os.environ)  # noqa: TID251 - the one place where this process reads it
    except ValueError as error:
        sys.stderr.write(f"aurora: {error}\n")
        return 2
    # Names of buckets are no host names beside an emulator.
    s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    outside = (settings.listen_host, settings.listen_port)
    host, port = outside if settings.guard is None else (LOOPBACK, 0)
    proxy = AuroraProxy(
        s3=s3,
        server_host=settings.server_host,
        server_port=settings.server_port,
        files=settings.files,
        server_files=settings.server_files,
        host=host,
        port=port,
        roles_active_on_login=settings.roles_active_on_login,
    )
    with contextlib.ExitStack() as started:
        started.enter_context(proxy)
        if settings.guard is not None:
            inside = (LOOPBACK, proxy.port)
            started.enter_context(Door(settings.guard, inside=inside, host=outside[0], port=outside[1]))
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
