"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

PipelineName = Annotated[str, typer.Option("--pipeline", "-p", envvar="PIPELINE", help="Name of the pipeline.")]
PipelinesFolder = Annotated[
    Path,
    typer.Option(
        "--pipelines", envvar="PIPELINES_FOLDER", help="Folder of the pipeline files.", file_okay=False, exists=True
    ),
]
DEFAULT_PIPELINES_FOLDER = Path("pipelines")
