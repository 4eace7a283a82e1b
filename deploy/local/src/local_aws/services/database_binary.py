"""The MySQL or MariaDB server that this machine has."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Literal

from local_aws.services.errors import DatabaseMissingError, LocalServiceError

Flavor = Literal["mysql", "mariadb"]

# Where packages put servers that are not on an ordinary user's PATH.
FOLDERS: tuple[str, ...] = (
    "/usr/sbin",
    "/usr/libexec",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/local/mysql/bin",
    "/usr/local/opt/m*/bin",  # Homebrew on Intel: mysql, mysql@8.4, mariadb
    "/opt/homebrew/opt/m*/bin",  # Homebrew on Apple silicon
)
_NAMES = ("mysqld", "mariadbd")  # MySQL first: it is what Aurora is made of
_INSTALL = """no MySQL or MariaDB server was found on PATH or in the usual folders; install one:
  Debian, Ubuntu:  apt-get install mariadb-server
  Fedora, RHEL:    dnf install mariadb-server
  Alpine:          apk add mariadb
  macOS:           brew install mysql"""


@dataclass(frozen=True, slots=True)
class DatabaseBinary:
    """A server program: its *path*, which *flavor* it is, its *version*, and the program that initialises its data."""

    path: Path
    flavor: Flavor
    version: str
    initialiser: Path


def find_database(*, folders: Sequence[str] = FOLDERS, search_path: str | None = None) -> DatabaseBinary:
    """
    Return the first server found on *search_path* (PATH by default), then in *folders* (which may hold wildcards).

    Raises:
        DatabaseMissingError: There is none; the text says what to install.
        LocalServiceError: A program was found that is not a usable server.
    """
    for name in _NAMES:
        on_path = shutil.which(name, path=search_path)
        candidates = [Path(on_path)] if on_path else []
        candidates += (Path(folder) / name for pattern in folders for folder in sorted(glob(pattern)))  # noqa: PTH207 - the patterns are absolute
        for candidate in candidates:
            if candidate.is_file():
                return inspect_database(candidate)
    raise DatabaseMissingError(_INSTALL)


def inspect_database(path: Path) -> DatabaseBinary:
    """
    Return what the server program at *path* says about itself.

    Raises:
        LocalServiceError: It cannot be run, or is no MySQL or MariaDB server, or its initialiser is missing.
    """
    try:
        text = subprocess.run(  # noqa: S603 - a program that the caller chose
            [str(path), "--no-defaults", "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise LocalServiceError(f"the database server {path} cannot be run: {error}") from error
    version = re.search(r"Ver (\d+\.\d+\.\d+)", text)
    if version is None:
        raise LocalServiceError(f"{path} does not look like a MySQL or MariaDB server; it says: {text.strip()!r}")
    if "MariaDB" not in text:
        return DatabaseBinary(path=path, flavor="mysql", version=version[1], initialiser=path)
    initialiser = _first_file(
        [path.parent, path.parent.parent / "bin", path.parent.parent / "scripts", path.resolve().parent.parent / "bin"],
        ("mariadb-install-db", "mysql_install_db"),
    )
    return DatabaseBinary(path=path, flavor="mariadb", version=version[1], initialiser=initialiser)


def _first_file(folders: Iterable[Path], names: Sequence[str]) -> Path:
    """
    Return the first file of one of *names* in *folders* or on PATH.

    Raises:
        LocalServiceError: There is none.
    """
    for name in names:
        for folder in folders:
            if (folder / name).is_file():
                return folder / name
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    raise LocalServiceError(f"MariaDB's {names[0]} is missing; install the whole server package (mariadb-server)")
