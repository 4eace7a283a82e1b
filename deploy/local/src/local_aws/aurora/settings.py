"""What the proxy is told when it runs as a process of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local_aws.aurora.door import Guard

_SWITCH = {"0": False, "1": True}


@dataclass(frozen=True, slots=True)
class Settings:
    """
    Where the proxy listens and what lies behind it.

    Read from `AURORA_SERVER_HOST` and `AURORA_SERVER_PORT` (3306): the server behind. `AURORA_LISTEN_HOST` (127.0.0.1)
    and `AURORA_LISTEN_PORT` (3306): where clients connect. `AURORA_FILES`: the folder shared with the server, and
    `AURORA_SERVER_FILES` (the same): its path as the server sees it. `AURORA_ROLES_ACTIVE_ON_LOGIN` (0): 1 when
    sessions need no `SET ROLE`. S3 is found through the AWS SDK's own variables.

    With `AURORA_CERTIFICATE` and `AURORA_KEY`, files, only encrypted connections are let in. `AURORA_IAM_USERS`, with
    commas between, then have to show a token of IAM for `AURORA_ENDPOINT` (host:port).
    """

    server_host: str
    server_port: int
    listen_host: str
    listen_port: int
    files: Path
    server_files: Path
    roles_active_on_login: bool
    guard: Guard | None = None

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """
        Return the settings that *environment* holds.

        Raises:
            ValueError: Variables are missing or wrong; the text names all of them.
        """
        problems = [
            f"{name} is missing" for name in ("AURORA_SERVER_HOST", "AURORA_FILES") if not environment.get(name)
        ]
        ports = {}
        for name in ("AURORA_SERVER_PORT", "AURORA_LISTEN_PORT"):
            text = environment.get(name, "3306")
            ports[name] = int(text) if text.isdecimal() else 0
            if not 0 < ports[name] < 2**16:
                problems.append(f"{name} is {text!r}, which is no port")
        switch = environment.get("AURORA_ROLES_ACTIVE_ON_LOGIN", "0")
        if switch not in _SWITCH:
            problems.append(f"AURORA_ROLES_ACTIVE_ON_LOGIN is {switch!r}, which is neither 0 nor 1")
        guard = _guard(environment)
        if problems:
            raise ValueError("; ".join(problems))
        return cls(
            server_host=environment["AURORA_SERVER_HOST"],
            server_port=ports["AURORA_SERVER_PORT"],
            listen_host=environment.get("AURORA_LISTEN_HOST", "127.0.0.1"),
            listen_port=ports["AURORA_LISTEN_PORT"],
            files=Path(environment["AURORA_FILES"]),
            server_files=Path(environment.get("AURORA_SERVER_FILES") or environment["AURORA_FILES"]),
            roles_active_on_login=_SWITCH[switch],
            guard=guard,
        )


def _guard(environment: Mapping[str, str]) -> Guard | None:
    if not environment.get("AURORA_CERTIFICATE"):
        return None
    return Guard(
        certificate=Path(environment["AURORA_CERTIFICATE"]),
        key=Path(environment.get("AURORA_KEY", "")),
        iam_users=frozenset(filter(None, environment.get("AURORA_IAM_USERS", "").split(","))),
        endpoint=environment.get("AURORA_ENDPOINT", ""),
    )
