"""
How to reach the database, out of the environment.

| variable | meaning |
|---|---|
| `DB_HOST`, `DB_PORT` | the writer's endpoint |
| `DB_NAME` | the database; by default the one that the pipeline file names |
| `DB_USER` | the user; not needed with a secret, which names it |
| `DB_PASSWORD`, `DB_SECRET_ARN` or `DB_AUTH=iam` | how the user proves itself, exactly one of them |
| `DB_TLS` | `verify` (the default) or `off`, the latter for a server on this machine only |
| `DB_CA_FILE` | the certificates to verify the server's against; by default the RDS bundle in the image |
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ddb2aurora.settings import Secret, SettingsReader

DEFAULT_CA_FILE: Final = "/opt/ddb2aurora/rds-global-bundle.pem"
_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """
    How to reach the database.

    *name* is None when the pipeline file names the database. Exactly one of *password*, *secret_arn* and *iam* is set.
    *ca_file* is None when TLS is off.
    """

    host: str
    port: int
    name: str | None
    user: str
    password: Secret | None = None
    secret_arn: str | None = None
    iam: bool = False
    ca_file: Path | None = None

    @property
    def address(self) -> str:
        """Where the database is, for errors and logs."""
        return f"{self.host}:{self.port}"


def read_database_settings(reader: SettingsReader) -> DatabaseSettings:
    """Return the settings of the database; *reader* collects what is wrong with them."""
    host = reader.text("DB_HOST", what="the host name of the database")
    secret_arn = reader.optional("DB_SECRET_ARN")
    password = reader.optional("DB_PASSWORD")
    iam = reader.optional("DB_AUTH") is not None
    if iam:
        reader.choice("DB_AUTH", what="how to log in without a password", choices=("iam",))
    if [secret_arn is not None, password is not None, iam].count(True) != 1:
        reader.report("set exactly one of DB_PASSWORD, DB_SECRET_ARN and DB_AUTH=iam")
    return DatabaseSettings(
        host=host,
        port=reader.integer("DB_PORT", what="the port of the database", low=1, high=_MAX_PORT, default=3306),
        name=reader.optional("DB_NAME"),
        user=reader.text("DB_USER", what="the user of the database", default="unnamed" if secret_arn else None),
        password=Secret(password) if password else None,
        secret_arn=secret_arn,
        iam=iam,
        ca_file=_ca_file(reader, host, iam=iam),
    )


def _ca_file(reader: SettingsReader, host: str, *, iam: bool) -> Path | None:
    tls = reader.choice("DB_TLS", what="whether to verify the server", choices=("verify", "off"), default="verify")
    if tls == "off":
        if host and not is_local(host):
            reader.report(f"DB_TLS is 'off' but {host!r} is not on this machine: set DB_TLS to verify")
        if iam:
            # The driver hands the token over in clear when the server asks for it, with or without TLS.
            reader.report("DB_AUTH=iam needs DB_TLS=verify: the token would travel in clear")
        return None
    path = Path(reader.text("DB_CA_FILE", what="the certificates to trust", default=DEFAULT_CA_FILE))
    if not path.is_file():
        reader.report(f"DB_CA_FILE: there is no file {str(path)!r}: set it to the bundle of certificates to trust")
    return path


def is_local(host: str) -> bool:
    """
    Return whether *host* cannot be a public name: a loopback address, or one label, such as a compose service.

    A single label is never delegated in the public DNS, so that no stranger can answer for it.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return "." not in host.rstrip(".") and ":" not in host and host != ""
