"""What the stages of ddb2aurora share: pipelines, values, changes, rows."""
