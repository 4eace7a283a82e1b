"""What can go wrong with a service that runs on this machine."""


class LocalServiceError(Exception):
    """A local service could not be started, or did not do what it was asked; the text says what to do."""


class DatabaseMissingError(LocalServiceError):
    """No MySQL or MariaDB server is installed here."""
