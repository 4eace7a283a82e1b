"""Forward every change of a DynamoDB stream to Data Firehose."""
