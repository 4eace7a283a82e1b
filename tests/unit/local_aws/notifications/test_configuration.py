from local_aws.notifications.configuration import merged

ARN = "arn:aws:sqs:us-east-1:000000000000:loader-events"
OURS = {
    "Id": "loader-events",
    "QueueArn": ARN,
    "Events": ["s3:ObjectCreated:*"],
    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "processed/"}]}},
}


def merge(current):
    return merged(current, identifier="loader-events", queue_arn=ARN, prefix="processed/")


def test_a_bucket_without_notifications_gets_one():
    assert merge({"ResponseMetadata": {"HTTPStatusCode": 200}}) == {"QueueConfigurations": [OURS]}


def test_saving_replaces_everything_so_all_others_are_given_again():
    current = {
        "TopicConfigurations": [{"Id": "failed", "TopicArn": "arn:topic", "Events": ["s3:ObjectCreated:*"]}],
        "QueueConfigurations": [{"Id": "other", "QueueArn": "arn:other", "Events": ["s3:ObjectRemoved:*"]}],
        "LambdaFunctionConfigurations": [{"Id": "f", "LambdaFunctionArn": "arn:f", "Events": ["s3:ObjectRemoved:*"]}],
        "EventBridgeConfiguration": {},
    }

    assert merge(current) == {**current, "QueueConfigurations": [*current["QueueConfigurations"], OURS]}


def test_an_earlier_configuration_of_the_same_queue_is_replaced():
    current = {"QueueConfigurations": [{**OURS, "Filter": {}}, {"Id": "x", "QueueArn": ARN, "Events": []}]}

    assert merge(current) == {"QueueConfigurations": [OURS]}
