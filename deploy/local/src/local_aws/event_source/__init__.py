"""The event source mapping that carries a DynamoDB stream to a function, as Lambda does it."""
