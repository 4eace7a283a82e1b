"""Carry the items that were there before the stream into the target, while writes go on."""
