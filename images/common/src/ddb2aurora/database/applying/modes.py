"""Which statements a mode is made of."""

from ddb2aurora.database.applying.append import AppendStatements
from ddb2aurora.database.applying.guarded import GuardedStatements
from ddb2aurora.database.applying.staged import Statements
from ddb2aurora.database.schema import Tables
from ddb2aurora.pipeline import Pipeline


def statements_of(tables: Tables, pipeline: Pipeline) -> Statements:
    """Return the statements of *pipeline*'s mode."""
    kind = AppendStatements if pipeline.mode == "append" else GuardedStatements
    return kind.of(tables, pipeline)
