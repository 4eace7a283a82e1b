from datetime import UTC, datetime

import pytest

from local_aws.firehose.errors import InvalidArgumentError
from local_aws.firehose.naming import Moment, data_prefix, error_prefix, object_name, timestamp

MOMENT = Moment(datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), lambda: "abcdefghijk")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "2026/03/04/05/", id="no prefix: year, month, day, hour"),
        pytest.param("data/", "data/2026/03/04/05/", id="a prefix without a timestamp gets one appended"),
        pytest.param("data", "data2026/03/04/05/", id="a prefix without a slash is glued to the date"),
        pytest.param("d/!{timestamp:yyyy}/", "d/2026/", id="a prefix with a timestamp gets none"),
        pytest.param("d/!{firehose:random-string}/", "d/abcdefghijk/2026/03/04/05/", id="random string of 11"),
        pytest.param("!{timestamp:yyyy}-!{timestamp:MM}/", "2026-03/", id="several expressions"),
    ],
)
def test_firehose_evaluates_the_prefix_of_delivered_objects(text, expected):
    # AWS: Understand custom prefixes for Amazon S3 objects
    assert data_prefix(text).evaluated(MOMENT) == expected


@pytest.mark.parametrize(
    ("text", "prefix", "expected"),
    [
        pytest.param("", "data/", "data/processing-failed/2026/03/04/05/", id="default: inside the data prefix"),
        pytest.param("bad/", "data/", "bad/processing-failed/2026/03/04/05/", id="no expression"),
        pytest.param("bad/!{firehose:error-output-type}/", "", "bad/processing-failed/", id="no timestamp is added"),
        pytest.param(
            "!{timestamp:yyyy'/'}!{firehose:error-output-type}/",
            "!{timestamp:yyyy}/",
            "2026/processing-failed/",
            id="both",
        ),
    ],
)
def test_firehose_evaluates_the_prefix_of_error_objects(text, prefix, expected):
    # AWS: Understand custom prefixes for Amazon S3 objects
    assert error_prefix(text, prefix=prefix).evaluated(MOMENT) == expected


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        pytest.param("bad/!{timestamp:yyyy}/", "data/", id="an expression but no error-output-type"),
        pytest.param("", "!{timestamp:yyyy}/", id="Prefix has an expression and ErrorOutputPrefix is not set"),
    ],
)
def test_firehose_refuses_error_prefixes_that_break_its_rules(text, prefix):
    # AWS: Understand custom prefixes for Amazon S3 objects
    with pytest.raises(InvalidArgumentError):
        error_prefix(text, prefix=prefix)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("!{firehose:error-output-type}/", id="error-output-type is for ErrorOutputPrefix only"),
        pytest.param("!{partitionKeyFromLambda:day}/", id="dynamic partitioning is not supported"),
        pytest.param("!{firehose:other}/", id="unknown value"),
        pytest.param("!{other:x}/", id="unknown namespace"),
        pytest.param("!{timestamp:yyyy", id="not closed"),
        pytest.param("x" * 502, id="more than 512 characters once evaluated"),
    ],
)
def test_a_prefix_that_firehose_could_not_evaluate_is_refused(text):
    with pytest.raises(InvalidArgumentError):
        data_prefix(text)


def test_a_prefix_of_512_evaluated_characters_is_accepted():
    # AWS: prefixes have at most 512 characters after evaluation
    assert len(data_prefix("x" * 498 + "!{timestamp:yyyy/MM/dd/HH/}").evaluated(MOMENT)) == 512


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yyyy-MM-dd'T'HH:mm:ss", "2026-03-04T05:06:07"),
        ("yy/M/d/H/m/s", "26/3/4/5/6/7"),
        ("'year='yyyy", "year=2026"),
        ("HH 'o''clock'", "05 o'clock"),
        ("yyyy''MM", "2026'03"),
    ],
)
def test_timestamps_follow_javas_patterns(pattern, expected):
    assert timestamp(pattern)(MOMENT) == expected


@pytest.mark.parametrize("pattern", ["", "YYYY", "MMM", "ddd", "EEE", "yyyy{", "'open"])
def test_a_timestamp_pattern_outside_the_subset_is_refused(pattern):
    with pytest.raises(InvalidArgumentError):
        timestamp(pattern)


def test_an_object_is_named_by_stream_version_time_and_uuid():
    # AWS: Configure Amazon S3 object name format
    name = object_name("changes", version=3, moment=MOMENT, unique="1f2e", extension=".csv")

    assert name == "changes-3-2026-03-04-05-06-07-1f2e.csv"
