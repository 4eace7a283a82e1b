"""
The data directory of a private server: initialised once for each version, then copied.

Initialising takes seconds, a copy takes a fraction of one.
"""

import contextlib
import getpass
import hashlib
import os
import secrets
import shutil
import subprocess
from pathlib import Path

from local_aws.services.database_binary import DatabaseBinary
from local_aws.services.errors import LocalServiceError
from local_aws.services.folders import remove_folder

_TIMEOUT_SECONDS = 180
# Both may only be set when the files are made. Small, because every test session copies them; large enough for
# transactions of some hundred thousand rows.
_OPTIONS = {
    "mariadb": (
        "--innodb-log-file-size=32M",
        "--innodb-data-file-path=ibdata1:4M:autoextend",
        "--innodb-autoextend-increment=4",
    ),
    "mysql": ("--loose-innodb-redo-log-capacity=64M",),
}


def file_options(binary: DatabaseBinary) -> tuple[str, ...]:
    """Return the options that say how the files are laid out; the server has to be started with the same."""
    # Both servers refuse to run as root unless root is named.
    return (*_OPTIONS[binary.flavor], *(("--user=root",) if os.geteuid() == 0 else ()))


def make_data_directory(binary: DatabaseBinary, data: Path, *, cache: Path | None) -> None:
    """
    Make *data* a data directory that a server of *binary* can start on.

    A template under *cache* is used, or made for the next time. Its accounts can only log in through the socket
    (MariaDB) or as root without a password until the server's first start locks that account (MySQL).

    Raises:
        LocalServiceError: The server's own initialisation failed.
    """
    template = cache / _template_name(binary) if cache else None
    if template is None or not template.is_dir():
        _initialise(binary, data)
        if template is not None:
            _publish(data, template)
        return
    shutil.copytree(template, data)


def _template_name(binary: DatabaseBinary) -> str:
    """Return a name that differs whenever the initialised files would."""
    identity = repr((binary, _command(binary, Path())))
    return f"{binary.flavor}-{binary.version}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def _command(binary: DatabaseBinary, data: Path) -> list[str]:
    """Return the command that initialises *data*."""
    command = [str(binary.initialiser), "--no-defaults", f"--datadir={data}", *file_options(binary)]
    if binary.flavor == "mysql":
        return [*command, "--initialize-insecure"]
    return [
        *command,
        "--auth-root-authentication-method=socket",
        f"--auth-root-socket-user={getpass.getuser()}",
        "--skip-test-db",
        "--skip-name-resolve",
    ]


def _initialise(binary: DatabaseBinary, data: Path) -> None:
    """
    Let the server's own program fill *data*.

    Raises:
        LocalServiceError: It failed; the text holds its output.
    """
    data.mkdir()
    try:
        subprocess.run(  # noqa: S603 - the server's own program, no shell
            _command(binary, data),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "stdout", None) or b""
        raise LocalServiceError(
            f"initialising a {binary.flavor} {binary.version} data directory failed: {error}\n"
            f"{output.decode(errors='replace')[-4000:]}"
        ) from error


def _publish(data: Path, template: Path) -> None:
    """Put a copy of *data* at *template* in one step, since other processes may do the same at this moment."""
    template.parent.mkdir(parents=True, exist_ok=True)
    unfinished = template.parent / f".unfinished-{secrets.token_hex(8)}"
    try:
        shutil.copytree(data, unfinished)
        with contextlib.suppress(OSError):  # another process was first, and its template is as good
            unfinished.rename(template)
    finally:
        remove_folder(unfinished)
