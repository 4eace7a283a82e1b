"""What a pipeline costs and where it ends, reckoned from prices, quotas and measurements."""
