"""Replay what failed, from each of the places where a failure is kept."""
