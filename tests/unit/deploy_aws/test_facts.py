"""What a pipeline tells the templates."""

import pytest
from builders import a_column, a_pipeline

from ddb2aurora.pipeline import KeyPart, UnknownPipelineError
from deploy_aws.facts import FROM_THE_PIPELINE, OVERRIDABLE, find_pipeline, pipeline_facts


def facts_of(*types, **others):
    names = ("id", "at")[: len(types)]
    columns = tuple(a_column(name, type_, nullable=False) for name, type_ in zip(names, types, strict=True))
    return pipeline_facts(a_pipeline(source_key=names, columns=columns, **others))


def test_a_key_of_two_attributes_is_told_with_its_types():
    found = facts_of("varchar(10)", "bigint")

    assert found == {
        "PipelineName": "things",
        "TableName": "things",
        "HashKeyName": "id",
        "HashKeyType": "S",
        "RangeKeyName": "at",
        "RangeKeyType": "N",
        "TargetDatabase": "demo",
        "TargetTable": "Things",
        "TargetMode": "mirror",
        "HeartbeatHashKey": "",
        "Packing": "off",
    }


def test_what_a_pipeline_tells_is_what_may_not_be_given_but_for_the_types_of_its_key():
    assert set(facts_of("varchar(10)")) == FROM_THE_PIPELINE | OVERRIDABLE


@pytest.mark.parametrize(
    ("type_", "kind"),
    [("varchar(5)", "S"), ("int", "N"), ("decimal(5,2)", "N"), ("varbinary(5)", "B"), ("datetime(3)", "S")],
)
def test_the_type_of_a_key_follows_from_its_column(type_, kind):
    found = facts_of(type_)

    assert (found["HashKeyType"], found["RangeKeyName"], found["RangeKeyType"]) == (kind, "", "S")


@pytest.mark.parametrize(
    ("part", "told"),
    [(KeyPart("id", "S", "beat"), "beat"), (KeyPart("id", "N", "0"), "0"), (KeyPart("at", "S", "x"), "")],
)
def test_the_hash_key_of_the_heartbeat_says_what_the_operator_may_write(part, told):
    found = pipeline_facts(a_pipeline(heartbeat=(part,)))

    assert found["HeartbeatHashKey"] == told


def test_a_pipeline_that_is_not_there_is_refused_with_those_that_there_are(tmp_path):
    (tmp_path / "orders.yaml").touch()

    with pytest.raises(UnknownPipelineError, match=r"no pipeline 'order' in .*; there are: orders$"):
        find_pipeline("order", folder=tmp_path)
