"""Free ports on the loopback interface."""

import random
import socket

from local_aws.services.errors import LocalServiceError

LOOPBACK = "127.0.0.1"

# Below the ranges that Linux (32768 and up) and macOS (49152 and up) hand out to outgoing connections, so that a
# service that is down for a moment finds its port free again.
_PORTS = range(20_000, 32_000)
_TRIES = 200


def free_port() -> int:
    """
    Return a port on 127.0.0.1 that nobody listens on.

    Raises:
        LocalServiceError: None was found.
    """
    for port in random.sample(_PORTS, _TRIES):
        with socket.socket() as probe:
            # As servers do, so that a port whose old connections linger counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise LocalServiceError(f"no free port on {LOOPBACK} between {_PORTS.start} and {_PORTS.stop}")
