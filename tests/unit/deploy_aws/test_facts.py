"""What a pipeline tells the templates."""

import pytest
from builders import a_column, a_pipeline

from ddb2aurora.pipeline import KeyPart, UnknownPipelineError
from deploy_aws.errors import DeploymentSettingsError
from deploy_aws.facts import FROM_THE_PIPELINE, OVERRIDABLE, check_room, find_pipeline, pipeline_facts
from deploy_aws.templates import Parameter


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


class Account:
    """The clients of an account in which there is nothing yet but *groups*, whose Lambda has so many places."""

    def __init__(self, *, places: int = 1000, free: int = 1000, groups: tuple[str, ...] = ()) -> None:
        self._limit = {"ConcurrentExecutions": places, "UnreservedConcurrentExecutions": free}
        self._groups = groups
        self.functions = self.logs = self

    def describe_log_groups(self, *, logGroupNamePrefix: str) -> dict[str, list[dict[str, str]]]:  # noqa: N803 - the SDK's
        found = [name for name in self._groups if name.startswith(logGroupNamePrefix)]
        return {"logGroups": [{"logGroupName": name} for name in found]}

    def get_account_settings(self) -> dict[str, dict[str, int]]:
        return {"AccountLimit": self._limit}


def room(account: Account, **values: str) -> None:
    declared = {
        "LoaderConcurrency": Parameter("LoaderConcurrency", default="5"),
        "ExistingClusterId": Parameter("ExistingClusterId", default=""),
    }
    named = {"Project": "shop", "Environment": "dev", "TableName": "things"}
    check_room(account, named | values, declared=declared)


@pytest.mark.parametrize(("places", "free"), [(1000, 1000), (1000, 105), (105, 105)])
def test_an_account_with_places_to_reserve_has_room(places: int, free: int):
    room(Account(places=places, free=free))


@pytest.mark.parametrize(
    ("places", "free", "reserved", "kept"),
    [(1000, 104, "5", 100), (10, 10, "1", 10), (1000, 1000, "901", 100)],
)
def test_places_that_lambda_would_not_let_go_are_told_before_anything_is_made(
    places: int, free: int, reserved: str, kept: int
):
    with pytest.raises(DeploymentSettingsError) as caught:
        room(Account(places=places, free=free), LoaderConcurrency=reserved)

    assert str(caught.value) == (
        f"LoaderConcurrency is {reserved}: of the {places} functions that the account may run at once, {free} are not "
        f'reserved, and Lambda lets no fewer than {kept} remain. Set it to "" to reserve none, or ask AWS for a higher '
        "quota (Service Quotas: Lambda, concurrent executions)"
    )


def test_a_loader_that_reserves_nothing_has_room_in_a_new_account():
    room(Account(places=10, free=10), LoaderConcurrency="")


LEFT = ("/aws/rds/cluster/shop-dev/audit", "/aws/rds/cluster/shop-dev-orders/audit")


def test_a_log_group_that_an_earlier_cluster_left_is_told_before_anything_is_made():
    with pytest.raises(DeploymentSettingsError) as caught:
        room(Account(groups=LEFT))

    assert str(caught.value) == (
        "log groups of an earlier cluster are there already; delete them when nobody needs them: "
        "aws logs delete-log-group --log-group-name /aws/rds/cluster/shop-dev/audit"
    )


def test_log_groups_of_a_cluster_that_is_there_are_in_nobodys_way():
    room(Account(groups=LEFT), ExistingClusterId="shop-dev")
