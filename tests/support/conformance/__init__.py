"""Rules of Data Firehose, each looked at from outside through the SDK, and the implementations looked at."""
