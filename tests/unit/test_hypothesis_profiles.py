"""A deep run tries what no run before it tried; a default run tries the same as the one before it."""

import pytest
from hypothesis import settings
from hypothesis_profiles import load_hypothesis_profile


@pytest.fixture
def profile():
    before = settings.get_current_profile_name()
    yield load_hypothesis_profile
    load_hypothesis_profile(before)


@pytest.mark.parametrize(("name", "draws_the_same"), [("default", True), ("deep", False)])
def test_only_the_default_profile_draws_the_same_examples_each_time(profile, name, draws_the_same):
    profile(name)

    assert (settings.default.derandomize, settings.default.database) == (draws_the_same, None)


def test_the_deep_profile_tries_many_more_examples(profile):
    profile("default")
    few = settings.default.max_examples

    profile("deep")

    assert settings.default.max_examples > 20 * few
