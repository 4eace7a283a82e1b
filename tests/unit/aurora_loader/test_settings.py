"""The settings of the loader and its database: read whole, refused whole."""

from pathlib import Path

import pytest

from aurora_loader.settings import Settings
from ddb2aurora.database.settings import DatabaseSettings, is_local
from ddb2aurora.settings import DEFAULT_PIPELINES_FOLDER, Secret, SettingsError

LOCAL = {"PIPELINE": "things", "DB_HOST": "127.0.0.1", "DB_USER": "u", "DB_PASSWORD": "p", "DB_TLS": "off"}


def problems(**environment):
    with pytest.raises(SettingsError) as failure:
        Settings.from_env({**LOCAL, **environment})
    return str(failure.value).split("\n  ")[1:]


def test_a_local_server_needs_little():
    settings = Settings.from_env(LOCAL)

    assert settings == Settings(
        pipeline="things",
        pipelines_folder=Path(DEFAULT_PIPELINES_FOLDER),
        database=DatabaseSettings(host="127.0.0.1", port=3306, name=None, user="u", password=Secret("p")),
        load_mode="s3",
        load_manifest=False,
        metrics_namespace="ddb2aurora",
        log_level="INFO",
    )


def test_a_server_far_away_is_verified(tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("certificates")

    settings = Settings.from_env(
        {
            "PIPELINE": "things",
            "DB_HOST": "c.cluster-x.eu-west-1.rds.amazonaws.com",
            "DB_PORT": "3307",
            "DB_NAME": "Other",
            "DB_USER": "u",
            "DB_AUTH": "iam",
            "DB_CA_FILE": str(bundle),
            "LOAD_MODE": "local",
        }
    )

    assert settings.load_mode == "local"
    assert settings.database == DatabaseSettings(
        host="c.cluster-x.eu-west-1.rds.amazonaws.com", port=3307, name="Other", user="u", iam=True, ca_file=bundle
    )


def test_a_secret_names_the_user_itself():
    environment = {**LOCAL, "DB_SECRET_ARN": "arn", "DB_PASSWORD": "", "DB_USER": ""}

    assert Settings.from_env(environment).database.secret_arn == "arn"


def test_everything_that_is_missing_is_named_at_once():
    with pytest.raises(SettingsError) as failure:
        Settings.from_env({"LOAD_MODE": "ftp", "DB_PORT": "0"})

    assert [line.split(" ")[0] for line in str(failure.value).split("\n  ")[1:]] == [
        "PIPELINE", "DB_HOST", "set", "DB_PORT", "DB_USER", "DB_CA_FILE:", "LOAD_MODE",
    ]  # fmt: skip


def test_two_ways_to_log_in_are_one_too_many():
    assert problems(DB_SECRET_ARN="arn") == ["set exactly one of DB_PASSWORD, DB_SECRET_ARN and DB_AUTH=iam"]


def test_clear_text_is_refused_to_a_server_elsewhere():
    assert problems(DB_HOST="db.example.org") == [
        "DB_TLS is 'off' but 'db.example.org' is not on this machine: set DB_TLS to verify"
    ]


def test_a_token_is_never_sent_in_clear():
    assert problems(DB_PASSWORD="", DB_AUTH="iam") == [
        "DB_AUTH=iam needs DB_TLS=verify: the token would travel in clear"
    ]


def test_a_missing_bundle_is_named():
    assert problems(DB_TLS="verify", DB_CA_FILE="/nowhere.pem") == [
        "DB_CA_FILE: there is no file '/nowhere.pem': set it to the bundle of certificates to trust"
    ]


def test_a_password_is_not_shown():
    assert "DB_PASSWORD" not in repr(Settings.from_env({**LOCAL, "DB_PASSWORD": "hunter2"}))
    assert "hunter2" not in repr(Settings.from_env({**LOCAL, "DB_PASSWORD": "hunter2"}))


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("mysql", True),
        ("db.example.org", False),
        ("10.0.0.1", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_local_is_a_loopback_address_or_a_name_of_one_label(host, local):
    assert is_local(host) is local


def test_objects_are_loaded_together_only_when_asked_and_only_by_aurora():
    assert Settings.from_env({**LOCAL, "LOAD_MANIFEST": "on"}).load_manifest is True
    assert problems(LOAD_MANIFEST="on", LOAD_MODE="local") == [
        "LOAD_MANIFEST is 'on', but only Aurora reads manifests: set LOAD_MODE to s3"
    ]
    assert problems(LOAD_MANIFEST="yes") == [
        "LOAD_MANIFEST is 'yes': set it to whether objects of one event are loaded together, one of off, on"
    ]
