"""Compare a source table with its target while writes go on, and mend what differs."""
