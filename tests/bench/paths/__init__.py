"""The whole path under load, and what a user might run in its place."""
