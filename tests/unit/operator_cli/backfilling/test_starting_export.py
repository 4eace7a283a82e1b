"""An export is begun once, waited for, and found where DynamoDB says it is."""

import pytest
from botocore.exceptions import ClientError

from operator_cli.aws import AwsSetUpError
from operator_cli.backfilling.errors import ExportError
from operator_cli.backfilling.exports import ExportPlace
from operator_cli.backfilling.facts import TableFacts
from operator_cli.backfilling.starting_export import start_export

_FACTS = TableFacts("arn:table", {"id": "S"}, 0, 0, "arn:stream")


class FakeExporter:
    """An export that goes through *states*."""

    def __init__(self, *states, error=None):
        self._states = list(states)
        self._error = error
        self.asked = []

    def export_table_to_point_in_time(self, **arguments):
        if self._error:
            raise ClientError({"Error": {"Code": self._error, "Message": ""}}, "ExportTableToPointInTime")
        self.asked.append(arguments)
        return {"ExportDescription": self._described()}

    def describe_export(self, **_):
        return {"ExportDescription": self._described()}

    def _described(self):
        status = self._states.pop(0)
        described = {"ExportArn": "arn:export", "ExportStatus": status}
        if status == "COMPLETED":
            described["ExportManifest"] = "p/AWSDynamoDB/01/manifest-summary.json"
        if status == "FAILED":
            described |= {"FailureCode": "S3NoSuchBucket", "FailureMessage": "no bucket"}
        return described


def start(client, *, facts=_FACTS, url="s3://bucket/p"):
    told, slept = [], []
    place = start_export(client, facts, url, told=told.append, sleep=slept.append)
    return place, told, slept


def test_it_is_waited_for_and_its_place_is_the_folder_of_its_manifest():
    place, told, slept = start(FakeExporter("IN_PROGRESS", "IN_PROGRESS", "COMPLETED"))

    assert place == ExportPlace("bucket", "p/AWSDynamoDB/01")
    assert (told, len(slept)) == (["export arn:export: in progress"] * 2, 2)


def test_a_full_export_in_dynamodb_json_is_asked_for():
    client = FakeExporter("COMPLETED")

    start(client)

    [asked] = client.asked
    assert {name: asked[name] for name in asked if name != "ClientToken"} == {
        "TableArn": "arn:table",
        "S3Bucket": "bucket",
        "S3Prefix": "p",
        "ExportFormat": "DYNAMODB_JSON",
        "ExportType": "FULL_EXPORT",
    }


def token(**parts):
    client = FakeExporter("COMPLETED")
    start(client, **parts)
    return client.asked[0]["ClientToken"]


def test_a_command_that_was_interrupted_asks_for_the_same_export_again():
    assert token() == token()


def test_another_place_or_a_new_stream_asks_for_another_export():
    assert len({token(), token(url="s3://bucket/q"), token(facts=_FACTS._replace(stream_arn="arn:new"))}) == 3


def test_an_export_that_fails_is_told_with_dynamodb_s_reason():
    with pytest.raises(ExportError, match="ended as FAILED: S3NoSuchBucket no bucket"):
        start(FakeExporter("IN_PROGRESS", "FAILED"))


def test_a_table_without_point_in_time_recovery_is_named_with_the_mend():
    with pytest.raises(AwsSetUpError, match="switch point-in-time recovery"):
        start(FakeExporter(error="PointInTimeRecoveryUnavailableException"))
