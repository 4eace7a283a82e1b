"""Finding a pipeline: a user's file first, then the compiled form of an image."""

from pathlib import Path

import pytest
from builders import a_pipeline

from ddb2aurora.pipeline import CompiledPipelineError, UnknownPipelineError, dump_pipeline
from operator_cli.pipelines import find_pipeline

PIPELINES = Path(__file__).parents[3] / "pipelines"


def test_the_file_of_a_user_is_read():
    assert find_pipeline("web_analytics", folder=PIPELINES).source_key == ("page_id", "activity_dt")


def test_the_compiled_form_is_read_where_there_are_no_files(tmp_path):
    (tmp_path / "things.json").write_bytes(dump_pipeline(a_pipeline()))

    assert find_pipeline("things", folder=tmp_path) == a_pipeline()


def test_an_unknown_name_among_compiled_pipelines_lists_them(tmp_path):
    (tmp_path / "things.json").write_bytes(dump_pipeline(a_pipeline()))

    with pytest.raises(UnknownPipelineError, match="there are: things"):
        find_pipeline("nonesuch", folder=tmp_path)


def test_a_json_schema_beside_the_files_is_no_pipeline():
    with pytest.raises(UnknownPipelineError, match=r"there are: web_analytics$"):
        find_pipeline("web_analytics.schema", folder=PIPELINES)


def test_an_empty_folder_has_none(tmp_path):
    with pytest.raises(UnknownPipelineError, match="there are: none"):
        find_pipeline("things", folder=tmp_path)


def test_a_compiled_form_that_is_broken_is_named(tmp_path):
    (tmp_path / "things.json").write_bytes(b"{")

    with pytest.raises(CompiledPipelineError, match=r"things\.json"):
        find_pipeline("things", folder=tmp_path)
