"""
Temporary folders that are gone at the end, even if Ctrl-C or SIGTERM comes between any two steps.

Both end this program by an exception, which may be raised anywhere. So whoever uses a folder first knows its name, then
makes it inside of the `try` that removes it; `tempfile.mkdtemp` would tell the name of a folder that is there already.
"""

import secrets
import shutil
import tempfile
from pathlib import Path


def unused_folder(prefix: str) -> Path:
    """Return a path, in the folder for temporary files, at which nothing is yet; its name begins with *prefix*."""
    return Path(tempfile.gettempdir()).resolve() / f"{prefix}{secrets.token_hex(8)}"


def make_folder(folder: Path) -> None:
    """
    Make *folder*, for this user's eyes only.

    Raises:
        OSError: It cannot be made, or is there already.
    """
    folder.mkdir(mode=0o700)


def remove_folder(folder: Path) -> None:
    """Remove *folder* with all that is in it, as far as that can be; nothing happens if it is not there."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except BaseException:  # interrupted: a second signal is ignored, so this comes to its end
        shutil.rmtree(folder, ignore_errors=True)
        raise
