"""What is in a table, by statistics alone, and the pipeline that takes all of it."""
