"""Compiling the pipeline files of a folder, as an image's build does."""

import shutil
from pathlib import Path

import pytest

from ddb2aurora.compile_pipelines import NoPipelineFilesError, compile_pipelines, main
from ddb2aurora.pipeline import load_pipeline
from ddb2aurora.pipeline_file import read_pipeline_file
from ddb2aurora.pipeline_source import PipelineFileError

PIPELINES = Path(__file__).parents[3] / "pipelines"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return shutil.copytree(PIPELINES, tmp_path / "source")


def break_a_copy(source: Path, name: str) -> None:
    text = (source / "web_analytics.yaml").read_text(encoding="utf-8")
    (source / f"{name}.yaml").write_text(text.replace("mode: mirror", "mode: mirrored"), encoding="utf-8")


def test_every_pipeline_file_is_compiled_to_what_a_function_loads(source: Path, tmp_path: Path) -> None:
    to = tmp_path / "a" / "b"

    written = compile_pipelines(source, to)

    assert written == (to / "web_analytics.json",)
    assert load_pipeline("web_analytics", folder=to) == read_pipeline_file(source / "web_analytics.yaml")


def test_the_mistakes_of_all_files_are_told_together(source: Path, tmp_path: Path) -> None:
    break_a_copy(source, "first")
    break_a_copy(source, "second")

    with pytest.raises(PipelineFileError) as caught:
        compile_pipelines(source, tmp_path / "to")

    assert {problem.file.name for problem in caught.value.problems} == {"first.yaml", "second.yaml"}


def test_nothing_is_written_when_one_file_has_mistakes(source: Path, tmp_path: Path) -> None:
    break_a_copy(source, "first")

    with pytest.raises(PipelineFileError):
        compile_pipelines(source, tmp_path / "to")

    assert not (tmp_path / "to").exists()


def test_a_folder_without_pipeline_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoPipelineFilesError, match=r"no pipeline file in .*; add .*<name>\.yaml"):
        compile_pipelines(tmp_path, tmp_path / "to")


def test_the_command_names_what_it_wrote(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main([str(source), str(tmp_path / "to")])

    assert (status, capsys.readouterr().out) == (0, f"{tmp_path / 'to' / 'web_analytics.json'}\n")


def test_the_command_tells_a_mistake_without_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main([str(tmp_path), str(tmp_path / "to")])

    assert status == 1
    assert capsys.readouterr().err.startswith("compile_pipelines: no pipeline file in ")


def test_the_command_tells_its_usage(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["one"])

    assert (status, capsys.readouterr().err) == (2, "usage: python -m ddb2aurora.compile_pipelines FROM TO\n")
