"""Write a proposal: checked as a whole before a single file is there, and never over what somebody wrote."""

import contextlib
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from ddb2aurora.errors import HaltError
from ddb2aurora.pipeline import Pipeline
from ddb2aurora.pipeline_file import PipelineFileError, read_pipeline_file
from operator_cli.planning.proposing import Naming


class FileThereError(HaltError):
    """A file that would be written is there already."""


class UnwritableError(HaltError):
    """The files cannot be written."""


class NamingError(HaltError):
    """No target can be called as it is wished."""


def check_names(naming: Naming, *, table: str) -> None:
    """
    Check that a pipeline of *table* can be called so, by the rules of pipeline files.

    Raises:
        NamingError: It cannot; the error says which option breaks which rule.
    """
    least = {
        "name": naming.pipeline,
        "source": {"table": table, "key": ["id"]},
        "target": {
            "database": naming.database,
            "table": naming.target_table,
            "mode": "mirror",
            "columns": {"id": {"type": "varchar(64)", "from": "id"}},
        },
    }
    try:
        compiled({f"{naming.pipeline}.yaml": yaml.safe_dump(least)}, name=naming.pipeline)
    except PipelineFileError as error:
        # The file and its lines are none of the reader's. Of a name that breaks several rules, the one that says most.
        told = sorted((problem.text for problem in error.problems), key=len)
        texts = {text.partition(":")[0]: text for text in told}
        options = "mend --name, --database or --target-table"
        raise NamingError(f"no pipeline can be called so, {options}: {'; '.join(texts.values())}") from error


def check_free(folder: Path, *, name: str, force: bool) -> None:
    """
    Check that the file of the pipeline *name* is not in *folder*, unless *force* allows to write over it.

    Raises:
        FileThereError: It is there.
    """
    _check_free([folder / f"{name}.yaml"], force=force)


def _check_free(paths: Iterable[Path], *, force: bool) -> None:
    there = [str(path) for path in paths if path.exists()]
    if there and not force:
        raise FileThereError(f"{', '.join(there)}: there already; name another pipeline by --name, or --force")


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
    _check_free(paths, force=force)
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
