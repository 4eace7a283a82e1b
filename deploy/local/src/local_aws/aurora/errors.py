"""The errors that Aurora MySQL answers when it loads from S3, with its numbers and texts."""


class AuroraError(Exception):
    """An error of a statement: what a client sees is *number*, *sqlstate* and *message*."""

    def __init__(self, number: int, message: str, *, sqlstate: str = "HY000") -> None:
        super().__init__(message)
        self.number = number
        self.sqlstate = sqlstate
        self.message = message


def no_stream() -> AuroraError:
    """Return the answer for an object that does not exist, or lies in another region than its address says."""
    return AuroraError(1815, "Internal error: Unable to initialize S3Stream")


def bad_manifest(reason: str) -> AuroraError:
    """Return the answer for a manifest that breaks the rules; the text after the colon is ours, AWS documents none."""
    return AuroraError(1815, f"Internal error: Invalid manifest: {reason}")


def s3_refused(reason: str) -> AuroraError:
    """Return the answer for a request that S3 refused or that did not reach it (1871 before Aurora version 3)."""
    return AuroraError(63985, f"S3 API returned error: {reason}")


def role_not_active() -> AuroraError:
    """Return the answer for a session in which the role is granted but not active, or not granted."""
    return AuroraError(
        1227,
        "Access denied; you need (at least one of) the LOAD FROM S3 or AWS_LOAD_S3_ACCESS privilege(s) "
        "for this operation",
        sqlstate="42000",
    )
