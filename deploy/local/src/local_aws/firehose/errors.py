"""The errors that the Firehose stand-in answers with; each bears AWS's code and HTTP status."""


class FirehoseError(Exception):
    """An answer that refuses a call."""

    code = "InternalFailure"
    status = 500


class InvalidArgumentError(FirehoseError):
    """A value is outside AWS's limits, or asks for what the stand-in does not do."""

    code = "InvalidArgumentException"
    status = 400


class ResourceNotFoundError(FirehoseError):
    """There is no stream of that name."""

    code = "ResourceNotFoundException"
    status = 400


class ResourceInUseError(FirehoseError):
    """There is already a stream of that name."""

    code = "ResourceInUseException"
    status = 400


class LimitExceededError(FirehoseError):
    """A quota would be exceeded."""

    code = "LimitExceededException"
    status = 400


class ConcurrentModificationError(FirehoseError):
    """The configuration has another version than the caller believes."""

    code = "ConcurrentModificationException"
    status = 400


class ServiceUnavailableError(FirehoseError):
    """The caller must slow down and try again."""

    code = "ServiceUnavailableException"
    status = 500


class SerializationError(FirehoseError):
    """The body is not the JSON that the operation takes."""

    code = "SerializationException"
    status = 400


class UnknownOperationError(FirehoseError):
    """The target header names no operation that is known here."""

    code = "UnknownOperationException"
    status = 400
