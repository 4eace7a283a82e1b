"""Which pipeline an object of rows belongs to, which its place in the bucket says alone."""

from typing import Final

from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.errors import HaltError
from ddb2aurora.pipeline import Pipeline

_ROWS_FOLDER: Final = "processed"


class OtherPipelineError(HaltError):
    """An object of rows lies where those of another pipeline do."""


def check_belongs(ref: ObjectRef, pipeline: Pipeline) -> None:
    """
    Refuse an object of another pipeline than *pipeline*, whose rows may well be of the same shape.

    The folder below the pipeline's is not looked at: it names the table, which may have been renamed since.

    Raises:
        OtherPipelineError: It lies in the folder of another one.
    """
    top, _, below = ref.key.partition("/")
    whose, slash, _ = below.partition("/")
    if top == _ROWS_FOLDER and slash and whose != pipeline.name:
        raise OtherPipelineError(
            f"{ref.url} is of the pipeline {whose}, and this loader loads those of {pipeline.name}; "
            "mend the prefix of the bucket's notification, or AURORA_LOADER_FUNCTION where a command asked for it"
        )
