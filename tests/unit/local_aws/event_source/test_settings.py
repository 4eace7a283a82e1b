import pytest

from local_aws.event_source.settings import MappingSettings

ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2026-01-05T10:00:00.000"


def test_the_defaults_are_those_of_aws():
    settings = MappingSettings(stream_arn=ARN)

    assert (settings.batch_size, settings.maximum_batching_window_seconds, settings.parallelization_factor) == (
        100,
        0,
        1,
    )
    assert (settings.maximum_retry_attempts, settings.maximum_record_age_seconds) == (-1, -1)
    assert (settings.bisect_batch_on_function_error, settings.reports_item_failures) == (False, False)


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("BatchSize", [1, 10_000], [0, 10_001]),
        ("MaximumBatchingWindowInSeconds", [0, 300], [-1, 301]),
        ("ParallelizationFactor", [1, 10], [0, 11]),
        ("StartingPosition", ["TRIM_HORIZON", "LATEST"], ["AT_TIMESTAMP"]),
        ("MaximumRecordAgeInSeconds", [-1, 60, 604_800], [0, 59, 604_801]),
        ("MaximumRetryAttempts", [-1, 0, 10_000], [-2, 10_001]),
        ("FunctionResponseTypes", [[], ["ReportBatchItemFailures"]], [["Other"], ["ReportBatchItemFailures"] * 2]),
    ],
)
def test_a_setting_has_the_range_that_aws_gives_it(name, allowed, refused):
    for value in allowed:
        MappingSettings.from_properties({"EventSourceArn": ARN, name: value})
    for value in refused:
        with pytest.raises(ValueError, match=f"^{name} must be [^;]*$"):
            MappingSettings.from_properties({"EventSourceArn": ARN, name: value})


def test_all_wrong_settings_are_reported_at_once():
    properties = {"EventSourceArn": "x", "BatchSize": 0, "MaximumRetryAttempts": -2, "StartingPosition": "NOW"}

    with pytest.raises(ValueError, match="must be") as caught:
        MappingSettings.from_properties(properties)

    assert str(caught.value) == (
        "BatchSize must be 1 to 10000; MaximumRetryAttempts must be -1 or 0 to 10000; "
        "EventSourceArn must be the ARN of a DynamoDB stream; StartingPosition must be TRIM_HORIZON or LATEST"
    )


def test_a_setting_that_the_stand_in_does_not_honour_is_refused_by_name():
    with pytest.raises(ValueError, match="does not honour FilterCriteria, TumblingWindowInSeconds"):
        MappingSettings.from_properties({"EventSourceArn": ARN, "TumblingWindowInSeconds": 0, "FilterCriteria": {}})
