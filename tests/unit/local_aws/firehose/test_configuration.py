import pytest

from local_aws.firehose.buffers import Hints
from local_aws.firehose.configuration import configuration_of, described, merged
from local_aws.firehose.errors import InvalidArgumentError
from local_aws.firehose.processing import Processing, Transform


def processors(*entries):
    return {"ProcessingConfiguration": {"Enabled": True, "Processors": list(entries)}}


def test_buffers_default_to_5_mib_and_300_seconds(make):
    # AWS: BufferingHints of the API reference
    assert configuration_of(make.settings()).data.hints == Hints(5 * 1024 * 1024, 300)


def test_the_lambda_processor_defaults_to_3_retries_1_mb_and_60_seconds(make):
    # AWS: Data transformation, buffering hints
    configuration = configuration_of(make.settings(ProcessingConfiguration=make.processing()))

    assert configuration.processing == Processing(Transform(make.lambda_arn, 3, Hints(1024 * 1024, 60)))


def test_processing_that_is_not_enabled_is_none(make):
    disabled = make.processing() | {"Enabled": False}

    assert configuration_of(make.settings(ProcessingConfiguration=disabled)).processing == Processing()


@pytest.mark.parametrize(
    "parameters",
    [
        {"BufferSizeInMBs": "0.1"},
        {"BufferSizeInMBs": "3.1"},
        {"BufferSizeInMBs": "much"},
        {"BufferIntervalInSeconds": "901"},
        {"BufferIntervalInSeconds": "1.5"},
        {"NumberOfRetries": "301"},
        {"NumberOfRetries": "-1"},
        {"LambdaArn": "transform"},
        {"Delimiter": "x"},
    ],
)
def test_parameters_of_the_lambda_processor_outside_awss_range_are_refused(make, parameters):
    # AWS: BufferSizeInMBs 0.2 to 3, BufferIntervalInSeconds 0 to 900, NumberOfRetries 0 to 300
    with pytest.raises(InvalidArgumentError):
        configuration_of(make.settings(ProcessingConfiguration=make.processing(**parameters)))


def test_a_second_lambda_processor_is_refused(make):
    # AWS: one Lambda processor at most
    (processor,) = make.processing()["Processors"]

    with pytest.raises(InvalidArgumentError):
        configuration_of(make.settings(**processors(processor, processor)))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"BufferingHints": {"SizeInMBs": 1}}, id="AWS: give both hints or neither"),
        pytest.param({"S3BackupMode": "Enabled"}, id="AWS: a backup needs its configuration"),
        pytest.param({"CompressionFormat": "Snappy"}, id="Snappy"),
        pytest.param({"CloudWatchLoggingOptions": {"Enabled": True}}, id="CloudWatch logging"),
        pytest.param({"DynamicPartitioningConfiguration": {"Enabled": True}}, id="dynamic partitioning"),
        pytest.param({"DataFormatConversionConfiguration": {}}, id="format conversion, which is on unless told"),
        pytest.param({"EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": "k"}}}, id="KMS"),
        pytest.param({"CustomTimeZone": "Middle/Earth"}, id="unknown time zone"),
        pytest.param(processors({"Type": "RecordDeAggregation"}), id="deaggregation"),
        pytest.param(
            processors(
                {
                    "Type": "AppendDelimiterToRecord",
                    "Parameters": [{"ParameterName": "Delimiter", "ParameterValue": ";"}],
                }
            ),
            id="another delimiter",
        ),
    ],
)
def test_what_the_stand_in_does_not_do_is_refused_and_never_ignored(make, changes):
    with pytest.raises(InvalidArgumentError):
        configuration_of(make.settings(**changes))


def test_a_backup_prefix_with_expressions_needs_an_error_prefix(make):
    # AWS: S3BackupConfiguration has no default ErrorOutputPrefix
    with pytest.raises(InvalidArgumentError):
        configuration_of(make.settings(**make.backup(Prefix="raw/!{timestamp:yyyy}/")))


def test_settings_that_say_off_are_accepted(make):
    off = {
        "CloudWatchLoggingOptions": {"Enabled": False},
        "DynamicPartitioningConfiguration": {"Enabled": False},
        "DataFormatConversionConfiguration": {"Enabled": False},
        "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
        "S3BackupMode": "Disabled",
    }

    assert configuration_of(make.settings(**off)).backup is None


def test_an_update_keeps_what_it_does_not_name(make):
    # AWS: values that an update does not specify are retained
    before = make.settings(**make.backup())

    after = merged(before, {"Prefix": "new/", "S3BackupUpdate": {"Prefix": "raw/"}})

    assert after == make.settings(Prefix="new/", **make.backup(Prefix="raw/"))


def test_a_backup_cannot_be_switched_off_again(make):
    # AWS: once S3BackupMode is enabled it cannot be disabled
    with pytest.raises(InvalidArgumentError):
        merged(make.settings(**make.backup()), {"S3BackupMode": "Disabled"})


def test_a_description_shows_the_defaults(make):
    settings = make.settings(FileExtension=".csv", ProcessingConfiguration=make.processing(NumberOfRetries="1"))

    place = {
        "RoleARN": settings["RoleARN"],
        "BucketARN": "arn:aws:s3:::lake",
        "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300},
        "CompressionFormat": "UNCOMPRESSED",
        "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
        "CloudWatchLoggingOptions": {"Enabled": False},
    }
    values = {"NumberOfRetries": "1", "BufferSizeInMBs": "1", "BufferIntervalInSeconds": "60"}
    parameters = values | {"LambdaArn": make.lambda_arn}
    named = [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()]
    assert described(settings | make.backup()) == place | {
        "Prefix": "data/",
        "ErrorOutputPrefix": settings["ErrorOutputPrefix"],
        "FileExtension": ".csv",
        "S3BackupMode": "Enabled",
        "S3BackupDescription": place | {"Prefix": "backup/"},
        "ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "Lambda", "Parameters": named}]},
    }
