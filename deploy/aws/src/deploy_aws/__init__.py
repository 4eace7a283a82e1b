"""Set ddb2aurora up on AWS, change it and take it down."""
