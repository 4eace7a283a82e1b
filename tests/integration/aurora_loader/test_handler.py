"""The loader as Lambda runs it: out of its environment, with a secret, an object and an event."""

import json

import pytest
from loader_fixtures import an_upsert

from aurora_loader.handler import app, handler
from ddb2aurora.dialect import encode_row
from ddb2aurora.errors import HaltError
from ddb2aurora.pipeline import dump_pipeline


class Context:
    aws_request_id = "request"
    invoked_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:aurora-loader"

    def get_remaining_time_in_millis(self):
        return 60_000


@pytest.fixture
def environment(aws, target, tmp_path, monkeypatch):
    (tmp_path / "things.json").write_bytes(dump_pipeline(target.pipeline))
    secret = aws.client("secretsmanager").create_secret(
        Name=aws.unique("secret"),
        SecretString=json.dumps({"username": target.settings.user, "password": target.settings.password.reveal()}),
    )
    variables = {
        **aws.environment,
        "PIPELINE": "things",
        "PIPELINES_FOLDER": str(tmp_path),
        "DB_HOST": target.settings.host,
        "DB_PORT": str(target.settings.port),
        "DB_SECRET_ARN": secret["ARN"],
        "DB_TLS": "off",
        "LOAD_MODE": "local",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    app.cache_clear()
    yield monkeypatch
    app.cache_clear()


def an_event(aws, bucket, key, content):
    answer = aws.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    entry = {"key": key, "size": len(content), "eTag": answer["ETag"].strip('"')}
    record = {"eventSource": "aws:s3", "awsRegion": aws.region, "eventName": "ObjectCreated:Put"}
    return {"Records": [{**record, "s3": {"bucket": {"name": bucket}, "object": entry}}]}


@pytest.mark.usefixtures("environment")
def test_an_announced_object_becomes_rows(aws, target, capsys):
    event = an_event(aws, aws.bucket(), "a.csv", encode_row(an_upsert(target.pipeline, 1, "a", "private")))

    answers = [handler(event, Context()), handler(event, Context())]

    printed = capsys.readouterr().out
    messages = [json.loads(line).get("message") for line in printed.splitlines()]
    assert answers == [{"objects": 1}, {"objects": 1}]
    assert target.rows() == (("a", "private"),)
    assert [message for message in messages if message] == ["object loaded", "object was loaded before"]
    assert "private" not in printed


def test_a_missing_setting_is_named_and_nothing_is_connected(environment):
    environment.delenv("DB_HOST")

    with pytest.raises(HaltError, match="DB_HOST is missing: set it to the host name of the database"):
        handler({"Event": "s3:TestEvent"}, Context())
