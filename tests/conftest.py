"""Fixtures that every layer may ask for; a layer that asks for none starts no service."""

pytest_plugins = ["services_fixtures"]
