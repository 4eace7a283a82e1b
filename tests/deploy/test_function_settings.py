"""A function gets by its template exactly the settings that its code reads: none is missing, and none is unknown."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from template_options import Chosen
from templates import template

import aurora_loader.settings
import firehose_transformer.settings
import stream_processor.settings
from ddb2aurora.database.settings import read_database_settings
from ddb2aurora.settings import SettingsError, SettingsReader
from operator_cli.site import Setting, Site

GIVEN = {
    "Name": "ddb2aurora-dev-web-analytics",
    "PipelineName": "web_analytics",
    "BucketName": "rows",
    "DatabaseHost": "db.example",
}
IAM = {"DatabaseResourceId": "cluster-ABC"}
SECRET = {"DatabaseSecretArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:loader"}
OPERATOR = {
    "DeliveryStreamName": "changes",
    "AuroraLoaderFunction": "loader",
    "StreamProcessorFunction": "processor",
    "LoaderFailuresQueueUrl": "https://queue.example",
}
# What the images bring along, and what only differs where there is no AWS.
# A variable of the SDK, which no code of ours reads.
OF_THE_SDK = {"AWS_ENDPOINT_URL_DYNAMODB_STREAMS"}
HAS_ITS_DEFAULT = {"PIPELINES_FOLDER", "DB_NAME", "DB_TLS", "DB_CA_FILE", "DB_PASSWORD"}


class Asked(dict[str, str]):
    """An environment that remembers which variables it was asked for."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def operator_settings(environment: Mapping[str, str]) -> None:
    """Read what any command of the operator reads, but for the migration."""
    reader = SettingsReader(environment)
    reader.text("PIPELINE", what="the name of a pipeline")
    reader.log_level()
    Site.of("web_analytics", folder=Path("pipelines"), needs=tuple(Setting), environment=environment)
    reader.finish()


def migration_settings(environment: Mapping[str, str]) -> None:
    """Read what the migration reads."""
    reader = SettingsReader(environment)
    reader.text("PIPELINE", what="the name of a pipeline")
    read_database_settings(reader)
    reader.optional("LOADER_DB_USER")
    reader.optional("OPERATOR_DB_USER")
    reader.log_level()
    reader.finish()


def variables(name: str, function: str, **given: str) -> dict[str, str]:
    """Return the environment that a template gives to a function."""
    content = template(name)
    declared = content["Parameters"]
    chosen = Chosen(content, **{key: value for key, value in (GIVEN | given).items() if key in declared})
    environment = content["Resources"][function]["Properties"]["Environment"]["Variables"]
    found = {variable: chosen.value(each) for variable, each in environment.items()}
    return {variable: str(value) for variable, value in found.items() if value is not None}


CASES = [
    pytest.param("functions", "StreamProcessorFunction", {}, stream_processor.settings.Settings.from_env, id="stream"),
    pytest.param(
        "functions",
        "FirehoseTransformerFunction",
        {},
        firehose_transformer.settings.Settings.from_env,
        id="transformer",
    ),
    pytest.param(
        "functions",
        "FirehoseTransformerFunction",
        {"Packing": "on"},
        firehose_transformer.settings.Settings.from_env,
        id="transformer that packs",
    ),
    pytest.param("loader", "AuroraLoaderFunction", IAM, aurora_loader.settings.Settings.from_env, id="loader by IAM"),
    pytest.param(
        "loader", "AuroraLoaderFunction", SECRET, aurora_loader.settings.Settings.from_env, id="loader by a secret"
    ),
    pytest.param("operations", "OperatorFunction", OPERATOR, operator_settings, id="operator"),
    pytest.param("migration", "MigrateFunction", SECRET, migration_settings, id="migration"),
]


@pytest.mark.parametrize(("name", "function", "given", "read"), CASES)
def test_a_function_can_start_with_what_its_template_gives(
    tmp_path: Path, name: str, function: str, given: dict[str, str], read: Callable[[Mapping[str, str]], Any]
):
    certificates = tmp_path / "bundle.pem"
    certificates.touch()

    read(variables(name, function, **given) | {"DB_CA_FILE": str(certificates)})


@pytest.mark.parametrize(("name", "function", "given", "read"), CASES)
def test_a_template_gives_no_setting_that_the_function_does_not_read(
    name: str, function: str, given: dict[str, str], read: Callable[[Mapping[str, str]], Any]
):
    environment = Asked()
    with pytest.raises(SettingsError):
        read(environment)

    assert sorted(variables(name, function, **given).keys() - environment.names - OF_THE_SDK) == []


@pytest.mark.parametrize(("name", "function", "given", "read"), CASES)
def test_no_setting_is_left_to_its_default_unless_on_purpose(
    name: str, function: str, given: dict[str, str], read: Callable[[Mapping[str, str]], Any]
):
    environment = Asked()
    with pytest.raises(SettingsError):
        read(environment)

    # One way to log in excludes the others.
    ways = {"DB_USER", "DB_AUTH", "DB_SECRET_ARN"}
    packing = {"BUCKET_NAME"} if function == "FirehoseTransformerFunction" and "Packing" not in given else set()
    assert (
        sorted(environment.names - variables(name, function, **given).keys() - HAS_ITS_DEFAULT - ways - packing) == []
    )


@pytest.mark.parametrize(
    ("name", "function", "given", "read"), [case for case in CASES if "from_env" in repr(case.values[3])]
)
def test_a_function_measures_under_the_name_of_its_deployment(
    tmp_path: Path, name: str, function: str, given: dict[str, str], read: Callable[[Mapping[str, str]], Any]
):
    certificates = tmp_path / "bundle.pem"
    certificates.touch()

    settings = read(variables(name, function, **given) | {"DB_CA_FILE": str(certificates)})

    assert settings.metrics_namespace == GIVEN["Name"]


def test_a_transformer_that_packs_has_the_bucket_and_any_other_has_not():
    packs = variables("functions", "FirehoseTransformerFunction", Packing="on")
    other = variables("functions", "FirehoseTransformerFunction", Packing="off")

    assert packs == other | {"BUCKET_NAME": "rows"}


def test_the_operator_is_told_where_streams_is_reached_if_its_network_has_a_way_of_its_own():
    url = "https://vpce-1-a.streams.dynamodb.eu-west-1.vpce.amazonaws.com"
    [variable] = OF_THE_SDK

    assert variables("operations", "OperatorFunction", StreamsUrl=url)[variable] == url
    assert variable not in variables("operations", "OperatorFunction")
    assert boto3_variable("dynamodbstreams") == variable


def boto3_variable(service: str) -> str:
    """Return the variable by which the SDK is told where a service is."""
    model = botocore.session.get_session().get_service_model(service)
    return f"AWS_ENDPOINT_URL_{model.service_id.hyphenize().replace('-', '_').upper()}"


def test_no_function_is_given_a_secret_or_an_endpoint():
    for name in ("functions", "loader", "operations", "migration"):
        for each in template(name)["Resources"].values():
            given = each["Properties"].get("Environment", {}).get("Variables", {})
            found = [variable for variable in given if re.search("PASSWORD|ENDPOINT|TOKEN|KEY", variable)]
            assert set(found) - OF_THE_SDK == set()
