"""The pages of docs/ that a deployment in the emulated account makes: written when asked to, and else compared."""

import os
from pathlib import Path

from containers import REPOSITORY


def settle(page: str, text: str) -> None:
    """Write docs/<page> into the folder that DEPLOYED_PAGES names, or see that it says *text* already."""
    folder = os.environ.get("DEPLOYED_PAGES")  # noqa: TID251 - a setting of the tests
    if folder:
        (Path(folder) / page).write_text(text, encoding="utf-8")
        return
    there = REPOSITORY / "docs" / page
    written = there.read_text(encoding="utf-8") if there.is_file() else ""
    assert written == text, f"docs/{page} is of another deployment: make deployed-pages"
