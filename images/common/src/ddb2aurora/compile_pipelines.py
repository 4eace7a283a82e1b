"""
Compile pipeline files: `python -m ddb2aurora.compile_pipelines FROM TO`.

Every `<name>.yaml` of the folder FROM becomes `<name>.json` in the folder TO, which an image carries. Nothing is
written unless all of them are right.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ddb2aurora.errors import HaltError
from ddb2aurora.pipeline import dump_pipeline
from ddb2aurora.pipeline_file import read_pipeline_file
from ddb2aurora.pipeline_source import PipelineFileError, Problem

USAGE: Final = 2
_ARGUMENTS: Final = 2


class NoPipelineFilesError(HaltError):
    """There is nothing to compile."""


def compile_pipelines(source: Path, to: Path) -> tuple[Path, ...]:
    """
    Compile every pipeline file in the folder *source*, and return the files written to the folder *to*.

    Raises:
        NoPipelineFilesError: There is none.
        PipelineFileError: Files have mistakes; the error lists those of all of them.
    """
    files = sorted(source.glob("*.yaml"))
    if not files:
        raise NoPipelineFilesError(f"no pipeline file in {source}; add {source}/<name>.yaml")
    compiled: dict[str, bytes] = {}
    problems: list[Problem] = []
    for file in files:
        try:
            compiled[f"{file.stem}.json"] = dump_pipeline(read_pipeline_file(file))
        except PipelineFileError as error:
            problems += error.problems
    if problems:
        raise PipelineFileError(problems)
    to.mkdir(parents=True, exist_ok=True)
    for name, content in compiled.items():
        (to / name).write_bytes(content)
    return tuple(to / name for name in compiled)


def main(arguments: Sequence[str]) -> int:
    """Compile as *arguments* say, and return the exit status."""
    if len(arguments) != _ARGUMENTS:
        sys.stderr.write("usage: python -m ddb2aurora.compile_pipelines FROM TO\n")
        return USAGE
    try:
        written = compile_pipelines(Path(arguments[0]), Path(arguments[1]))
    except HaltError as error:
        sys.stderr.write(f"compile_pipelines: {error}\n")
        return 1
    sys.stdout.writelines(f"{path}\n" for path in written)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
