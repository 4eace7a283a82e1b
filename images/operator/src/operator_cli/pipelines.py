"""Find a pipeline for a command: the file that a user edits, or the compiled form that an image carries."""

from pathlib import Path

from ddb2aurora.pipeline import Pipeline, UnknownPipelineError, load_pipeline


def find_pipeline(name: str, *, folder: Path) -> Pipeline:
    """
    Return the pipeline *name* in *folder*.

    Raises:
        UnknownPipelineError: There is none of that name; the error lists those that there are.
        PipelineFileError: Its file has mistakes.
        CompiledPipelineError: Its compiled form cannot be read.
    """
    file = folder / f"{name}.yaml"
    if file.is_file():
        from ddb2aurora.pipeline_file import read_pipeline_file  # noqa: PLC0415 - images carry the compiled form

        return read_pipeline_file(file)
    known = sorted(found.stem for found in folder.glob("*.yaml"))
    if known or not any(folder.glob("*.json")):
        raise UnknownPipelineError(f"no pipeline {name!r} in {folder}; there are: {', '.join(known) or 'none'}")
    return load_pipeline(name, folder=folder)


def all_pipelines(folder: Path) -> tuple[Pipeline, ...]:
    """
    Return every pipeline whose file is in *folder*, by name.

    Raises:
        UnknownPipelineError: There is none.
        PipelineFileError: A file has mistakes.
    """
    from ddb2aurora.pipeline_file import read_pipeline_file  # noqa: PLC0415 - as above

    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise UnknownPipelineError(f"no pipeline file in {folder}; add {folder}/<name>.yaml")
    return tuple(read_pipeline_file(file) for file in files)
