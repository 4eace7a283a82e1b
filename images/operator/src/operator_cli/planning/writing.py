"""Write a proposal: checked as a whole before a single file is there, and never over what somebody wrote."""

import contextlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ddb2aurora.errors import HaltError
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.pipeline_file import read_pipeline_file


class FileThereError(HaltError):
    """A file that would be written is there already."""


class UnwritableError(HaltError):
    """The files cannot be written."""


def compiled(files: Mapping[str, str], *, name: str) -> Pipeline:
    """
    Return the pipeline that *files* (texts by name) make, read as `pipelines/<name>.yaml` is.

    Raises:
        PipelineFileError: They are no pipeline.
    """
    with tempfile.TemporaryDirectory(prefix="ddb2aurora-plan-") as folder:
        for file, text in files.items():
            (Path(folder) / file).write_text(text, encoding="utf-8")
        return read_pipeline_file(Path(folder) / f"{name}.yaml")


def write(files: Mapping[str, str], *, folder: Path, force: bool) -> tuple[Path, ...]:
    """
    Write *files* into *folder*, the pipeline file last, and return their paths.

    Raises:
        FileThereError: One of them is there, and *force* does not allow to write over it.
        UnwritableError: One cannot be written.
    """
    # The pipeline file names the others, so it comes last: whoever reads it finds them.
    paths = sorted((folder / file for file in files), key=lambda path: path.suffix == ".yaml")
    there = [str(path) for path in paths if path.exists()]
    if there and not force:
        raise FileThereError(f"{', '.join(there)}: there already; name another pipeline by --name, or --force")
    made: list[Path] = []
    try:
        for path in paths:
            # x: somebody may have written it since it was looked for.
            with path.open("w" if force else "x", encoding="utf-8") as file:
                made.append(path)
                file.write(files[path.name])
    except OSError as error:
        if not force:
            for path in made:
                with contextlib.suppress(OSError):
                    path.unlink()
        raise UnwritableError(f"{path}: cannot be written ({error.strerror})") from error
    return tuple(paths)
