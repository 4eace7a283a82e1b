"""Fixtures that every layer may ask for; a layer that asks for none starts no service."""

import logging
import os
import signal

import pytest
from hypothesis_profiles import DEFAULT_PROFILE, load_hypothesis_profile

# Several layers look at a stack from outside, and whichever is collected first imports it.
pytest.register_assert_rewrite("outside")
pytest_plugins = ["services_fixtures"]

# Whoever runs the tests in the background of a script has them ignore Ctrl-C, and so does all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

load_hypothesis_profile(os.environ.get("HYPOTHESIS_PROFILE", DEFAULT_PROFILE))  # noqa: TID251 - a setting of the tests


@pytest.fixture(autouse=True)
def _logging_is_left_as_it_was():
    # A handler that runs inside a test sets logging up for its process, which here is everybody's.
    loggers = (logging.getLogger(), logging.getLogger("ddb2aurora"))
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers
