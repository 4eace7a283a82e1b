"""
How many examples the properties are tried on.

`default` tries few, always the same ones, so that a run says the same twice; `deep` tries many new ones, which a seed
draws again, and prints how to repeat a failure. The environment variable HYPOTHESIS_PROFILE chooses.
"""

from hypothesis import HealthCheck, settings

DEFAULT_PROFILE = "default"


def load_hypothesis_profile(name: str) -> None:
    """
    Use the profile *name* for all properties.

    Raises:
        InvalidArgument: There is no such profile.
    """
    # Shared machines are slow at times; a slow example is no wrong one.
    settings.register_profile(
        "default",
        max_examples=30,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.register_profile(
        "deep",
        max_examples=1_000,
        # Said in full: what is left out here is taken from the profile before. Without a database of former failures
        # the seed alone decides what is tried.
        derandomize=False,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile(name)
