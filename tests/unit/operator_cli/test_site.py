"""Where a command works, out of the environment: all mistakes at once, before anything is connected to."""

import pytest
from builders import a_pipeline

from ddb2aurora.pipeline import dump_pipeline
from ddb2aurora.settings import SettingsError
from operator_cli.site import Setting, Site

DATABASE = {"DB_HOST": "127.0.0.1", "DB_USER": "u", "DB_PASSWORD": "p", "DB_TLS": "off"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "things.json").write_bytes(dump_pipeline(a_pipeline()))
    return tmp_path


def test_what_a_command_needs_is_read_and_what_it_can_do_without_may_be_missing(folder):
    environment = {**DATABASE, "BUCKET_NAME": "lake", "AURORA_LOADER_FUNCTION": "loader"}

    site = Site.of("things", folder=folder, needs=[Setting.BUCKET], environment=environment)

    assert site[Setting.BUCKET] == "lake"
    assert site.get(Setting.LOADER) == "loader"
    assert site.get(Setting.LOADER_FAILURES) is None


def test_every_missing_setting_is_named_at_once(folder):
    with pytest.raises(SettingsError) as caught:
        Site.of("things", folder=folder, needs=[Setting.BUCKET, Setting.LOADER], environment={"DB_TLS": "off"})

    assert str(caught.value) == (
        "bad settings:\n"
        "  BUCKET_NAME is missing: set it to the bucket that holds processed/ and failed/\n"
        "  AURORA_LOADER_FUNCTION is missing: set it to the name or the ARN of the aurora-loader function\n"
        "  DB_HOST is missing: set it to the host name of the database\n"
        "  set exactly one of DB_PASSWORD, DB_SECRET_ARN and DB_AUTH=iam\n"
        "  DB_USER is missing: set it to the user of the database"
    )


def test_a_command_without_a_database_needs_no_settings_of_one(folder):
    site = Site.of("things", folder=folder, database=False, environment={})

    assert site.database_name == a_pipeline().target_database
    with pytest.raises(LookupError):
        site.database_settings  # noqa: B018 - it is the property that raises


@pytest.mark.parametrize(("more", "name"), [({}, a_pipeline().target_database), ({"DB_NAME": "other"}, "other")])
def test_the_database_is_the_pipeline_s_unless_a_setting_names_another(folder, more, name):
    site = Site.of("things", folder=folder, environment={**DATABASE, **more})

    assert site.database_name == name
