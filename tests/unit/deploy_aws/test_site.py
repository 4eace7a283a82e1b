"""The environments that are shipped agree with the templates and the pipelines."""

import json

import pytest

from deploy_aws.errors import DeploymentSettingsError
from deploy_aws.images import Images
from deploy_aws.parameters import PARAMETERS_FOLDER
from deploy_aws.site import Folders, read_site

SHIPPED = sorted(file.stem for file in PARAMETERS_FOLDER.glob("*.json"))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_environment_that_is_shipped_can_be_deployed_as_it_is(name):
    site = read_site(name, folders=Folders())

    assert site.environment.name == name
    assert site.stages == ("aurora-loader", "firehose-transformer", "operator", "stream-processor")


@pytest.mark.parametrize("name", ["dev", "production"])
def test_no_environment_that_is_shipped_names_a_region_or_an_account(name):
    document = json.loads((PARAMETERS_FOLDER / f"{name}.json").read_text())

    assert set(document) == {"pipeline", "parameters"}


def with_parameters(tmp_path, **parameters):
    folder = tmp_path / "parameters"
    folder.mkdir()
    (folder / "try.json").write_text(json.dumps({"pipeline": "web_analytics", "parameters": parameters}))
    return read_site("try", folders=Folders(parameters=folder))


def test_the_type_of_a_key_may_be_given_against_what_the_column_tells(tmp_path):
    site = with_parameters(tmp_path, HashKeyType="N")

    assert (site.values()["HashKeyType"], site.values()["RangeKeyType"]) == ("N", "S")


def test_what_the_pipeline_file_says_may_not_be_given(tmp_path):
    with pytest.raises(DeploymentSettingsError, match="TableName is found out by deploying; leave it out"):
        with_parameters(tmp_path, TableName="other")


def test_the_architecture_is_that_of_the_images_unless_it_is_given(tmp_path):
    images = Images("c0ffee", "arm64", {})
    (tmp_path / "given").mkdir()

    free, given = with_parameters(tmp_path), with_parameters(tmp_path / "given", Architecture="x86_64")

    assert (free.architecture(None), free.architecture(images)) == ("x86_64", "arm64")
    assert given.architecture(images) == "x86_64"
