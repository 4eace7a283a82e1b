"""Every case of this folder, in every way that can be had: the model, the database in both load modes, the stack."""

import dataclasses

import pytest
from scenario_ways import Transformed, expected, through_packed_records, through_the_database, through_the_model
from scenarios_catalogue import CATALOGUE, catalogue

from ddb2aurora.pipeline_file import PipelineFileError
from scenarios import read_scenarios

ALL = read_scenarios()
CASES = [case for case in ALL if not case.refused]


def named(case):
    return case.name


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_model_holds_the_rows_of(case, tmp_path):
    pipeline = case.pipeline(tmp_path, database="model")

    result = through_the_model(case, pipeline)

    assert result == expected(case, pipeline)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_changes_that_share_records_become_the_lines_of_each_alone_in(case, tmp_path):
    pipeline = case.pipeline(tmp_path, database="model")
    alone = Transformed(case, pipeline)

    lines, failed = through_packed_records(case, pipeline)

    assert b"".join(lines) == b"".join(alone.all_lines)
    assert sorted(failed) == sorted((reason, pointer) for _, reason, pointer in alone.rejects)


@pytest.mark.parametrize("load_mode", ["local", "s3"])
@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_database_holds_the_rows_of(case, load_mode, place_at, aws, bucket):
    place = place_at(load_mode)
    target = place.target(case)

    result = through_the_database(target, place.source, place.settings, s3=aws.client("s3"), bucket=bucket)

    assert result == expected(case, target.pipeline)


@pytest.mark.timeout(300)  # the first of them waits for the cases of all
@pytest.mark.parametrize("case", [case for case in CASES if case.stack != "no"], ids=named)
def test_the_whole_stack_holds_the_rows_of(case, scenario_stack):
    result = scenario_stack.result(case)

    assert result == expected_of_the_stack(case, scenario_stack.pipeline(case))


def expected_of_the_stack(case, pipeline):
    wanted = expected(case, pipeline)
    if case.stack == "objects":
        return wanted
    # When an item changed, and how changes are grouped into objects, is up to DynamoDB and the delivery stream.
    return dataclasses.replace(wanted, deleted=[(key, None) for key, _ in wanted.deleted], counts=None)


@pytest.mark.parametrize("case", [case for case in ALL if case.refused], ids=named)
def test_the_pipeline_file_is_refused_of(case, tmp_path):
    with pytest.raises(PipelineFileError) as failure:
        case.pipeline(tmp_path, database="none")

    assert [problem.text for problem in failure.value.problems] == list(case.refused)


def test_there_are_at_least_sixty_cases_and_each_is_about_something_else():
    abouts = [case.about for case in ALL]

    assert len(set(abouts)) == len(abouts) >= 60


def test_the_catalogue_is_current():
    assert CATALOGUE.read_text(encoding="utf-8") == catalogue(ALL), "run python -m scenarios_catalogue in tests/support"
