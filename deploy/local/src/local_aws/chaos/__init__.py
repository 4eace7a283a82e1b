"""The promise under attack: a workload, faults at every hop, and an account of every change at the end."""
