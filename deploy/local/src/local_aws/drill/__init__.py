"""A backfill under fire: a table is read while it changes, by a process that is killed, and compared at the end."""
