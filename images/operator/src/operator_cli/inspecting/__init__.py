"""Everything that is known of one item: both sides, its history, and where it is stuck."""
