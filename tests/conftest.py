"""Fixtures that every layer may ask for; a layer that asks for none starts no service."""

import os

from hypothesis_profiles import DEFAULT_PROFILE, load_hypothesis_profile

pytest_plugins = ["services_fixtures"]

load_hypothesis_profile(os.environ.get("HYPOTHESIS_PROFILE", DEFAULT_PROFILE))  # noqa: TID251 - a setting of the tests
