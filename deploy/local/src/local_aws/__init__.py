"""Stand-ins for the managed parts, to run the whole path on one machine."""
