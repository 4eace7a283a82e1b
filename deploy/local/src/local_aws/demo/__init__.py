"""The demonstration: a workload through the whole path, and the proof that source and target agree."""
