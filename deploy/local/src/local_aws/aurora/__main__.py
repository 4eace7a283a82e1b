"""Run the proxy in the foreground until SIGTERM or SIGINT: `python -m local_aws.aurora`."""

import asyncio
import logging
import os
import signal
import sys

import boto3
from botocore.config import Config

from local_aws.aurora.proxy import AuroraProxy
from local_aws.aurora.settings import Settings


async def _serve(proxy: AuroraProxy) -> None:
    """Serve until a signal asks to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await proxy.serve(stop)


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
    proxy = AuroraProxy(
        s3=s3,
        server_host=settings.server_host,
        server_port=settings.server_port,
        files=settings.files,
        server_files=settings.server_files,
        host=settings.listen_host,
        port=settings.listen_port,
        roles_active_on_login=settings.roles_active_on_login,
    )
    asyncio.run(_serve(proxy))
    return 0


if __name__ == "__main__":
    sys.exit(main())
