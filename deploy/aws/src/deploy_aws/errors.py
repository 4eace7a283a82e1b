"""What goes wrong while deploying; the class says whether the same command may simply be run again."""

from ddb2aurora.errors import HaltError, RetryError


class DeploymentSettingsError(HaltError):
    """What was asked for cannot be done as it was asked: a name, a file, a parameter, a credential."""


class DeploymentFailedError(RetryError):
    """AWS did not do what was asked; the text says what to mend, and that the same command goes on from there."""
