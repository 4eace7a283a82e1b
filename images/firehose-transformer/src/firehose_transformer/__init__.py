"""Validate each change and turn it into one CSV line."""
