"""The operator command line of ddb2aurora."""
