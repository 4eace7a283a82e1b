"""What `ddb2aurora plan` does, from its options to its result."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ddb2aurora.errors import HaltError
from ddb2aurora.pipeline import Pipeline
from operator_cli.aws import dynamodb_client, s3_client
from operator_cli.backfilling.export_reading import ExportReading
from operator_cli.backfilling.exports import place_of, read_export
from operator_cli.planning.checking import Trial
from operator_cli.planning.looking import Display, Look
from operator_cli.planning.places import Room
from operator_cli.planning.profile import Profile
from operator_cli.planning.proposing import Naming, name_for, propose
from operator_cli.planning.reading import Items, Part, Sample, scan_parts
from operator_cli.planning.rendering import render, render_schema
from operator_cli.planning.report import Plan
from operator_cli.planning.views import views_of
from operator_cli.planning.writing import check_free, check_names, compiled, write
from operator_cli.progress import progress
from operator_cli.scanning.budget import ReadBudget
from operator_cli.scanning.table import Description, TableScan, described
from operator_cli.verifying.source import KeyOfTableError

WHOLE: Final = Sample()
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,47}", re.ASCII)


class NothingThereError(HaltError):
    """There is no item to propose a pipeline from."""


class OtherTableError(HaltError):
    """An export is of another table."""


class PipelineNameError(HaltError):
    """A pipeline cannot have this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The options of the command; *pipeline* is the one to try the items on, None to propose one."""

    table: str
    pipeline: Pipeline | None
    folder: Path
    export: str | None = None
    sample: Sample = WHOLE
    threads: int = 4
    read_units: float | None = None
    depth: int = 8
    write: bool = False
    force: bool = False
    name: str | None = None
    database: str = "ddb2aurora"
    target_table: str | None = None
    tolerate: float = 0.0

    @property
    def naming(self) -> Naming:
        """
        How the proposed pipeline and its target are to be called.

        Raises:
            PipelineNameError: No pipeline can be called so.
        """
        name = self.name or name_for(self.table)
        if not _NAME.fullmatch(name):
            raise PipelineNameError(
                f"{name!r} is no name of a pipeline: a small letter, then up to 47 small letters, digits and _"
            )
        return Naming(pipeline=name, database=self.database, target_table=self.target_table or name)


def plan_table(wishes: Wishes) -> Plan:
    """
    Read what is wished, and return what was found; write a pipeline for it if that is wished.

    Raises:
        PipelineNameError: The proposed pipeline cannot be called so.
        NamingError: Its target cannot be called so.
        KeyOfTableError: The table has another key than the pipeline says.
        NothingThereError: A pipeline is to be written, and there is no item.
        FileThereError: A file that is to be written is there already.
        UnwritableError: A file cannot be written.
        RetryError: The table cannot be read now.
        HaltError: It cannot be read before someone acts.
    """
    naming = wishes.naming
    client = dynamodb_client()
    description = described(client, wishes.table)
    _check_key(wishes, description)
    if wishes.pipeline is None:
        # Before a table is read that may take hours.
        check_names(naming, table=wishes.table)
        if wishes.write:
            check_free(wishes.folder, name=naming.pipeline, force=wishes.force)
    budget = ReadBudget(wishes.read_units)
    if wishes.export is None:
        scan = TableScan(client, wishes.table, budget=budget)
        about = description.about_items
        parts = scan_parts(scan, wishes.sample, segments=wishes.threads, about_items=about)
    else:
        about, parts = _export_parts(wishes.export, wishes, description)
    at_ms = time.time_ns() // 1_000_000
    trial = None if wishes.pipeline is None else Trial(wishes.pipeline, at_ms=at_ms)
    profile = Profile(wishes.table, description.key, room=Room(depth=wishes.depth))
    is_heartbeat = (wishes.pipeline or _unmapped(wishes.table, description)).is_heartbeat
    look = Look(profile, trial, is_heartbeat=is_heartbeat, take_spent=budget.take_spent)
    started = time.monotonic()
    try:
        with progress() as bars:
            display = Display(bars, wishes.table, about=_expected(wishes.sample, about))
            thin = wishes.export is not None
            look.at(parts, wishes.sample, threads=wishes.threads, thin=thin, display=display)
    finally:
        # A thread that waits for its budget would hold up the end.
        budget.hurry()
    plan = Plan(
        profile=profile,
        source=wishes.export or f"table {wishes.table}",
        is_whole=wishes.sample.is_whole,
        was_interrupted=look.was_interrupted,
        read_units=look.read_units,
        seconds=time.monotonic() - started,
        trial=trial,
    )
    if trial is not None or look.was_interrupted:
        return plan
    return _with_proposal(plan, wishes, naming=naming, at_ms=at_ms)


def _with_proposal(plan: Plan, wishes: Wishes, *, naming: Naming, at_ms: int) -> Plan:
    """
    Return *plan* with a pipeline, which takes the items that were kept, and was written if that is wished.

    Raises:
        NothingThereError: There is no item.
        FileThereError: A file that is to be written is there already.
        UnwritableError: A file cannot be written.
    """
    profile = plan.profile
    if not profile.root.count:
        if wishes.write:
            raise NothingThereError(f"{plan.source} holds no item: put one there, and plan again")
        return plan
    proposal = propose(profile, naming=naming, tolerate=wishes.tolerate)
    text = render(proposal, views=tuple(views_of(proposal, profile)))
    files = {document.file: render_schema(document.schema) for document in proposal.documents}
    files[f"{naming.pipeline}.yaml"] = text
    pipeline = compiled(files, name=naming.pipeline)
    trial = Trial(pipeline, at_ms=at_ms)
    for item in profile.kept.items:
        trial.add(item)
    is_sound = not trial.rejected or wishes.tolerate > 0
    written = write(files, folder=wishes.folder, force=wishes.force) if wishes.write and is_sound else ()
    return replace(
        plan,
        proposal=proposal,
        compiled=pipeline,
        text=text,
        schemas={document.file: document.schema for document in proposal.documents},
        files=tuple(map(str, written)),
        proposal_trial=trial,
        is_sound=is_sound,
    )


def _check_key(wishes: Wishes, description: Description) -> None:
    pipeline = wishes.pipeline
    if pipeline is not None and pipeline.source_key != tuple(description.key):
        raise KeyOfTableError(
            f"table {wishes.table} has the key {', '.join(description.key)}, and pipeline {pipeline.name} names "
            f"{', '.join(pipeline.source_key)}; mend `key` in the pipeline file"
        )


def _export_parts(url: str, wishes: Wishes, description: Description) -> tuple[int, list[Part]]:
    s3 = s3_client(connections=wishes.threads)
    export = read_export(s3, place_of(url))
    if export.table != wishes.table:
        raise OtherTableError(f"{url} is an export of table {export.table}, not of {wishes.table}")
    pipeline = wishes.pipeline or _unmapped(wishes.table, description)
    reading = ExportReading(s3, export, pipeline, key_types=description.key)
    return export.items, [_file(reading, number) for number in range(len(export.files))]


def _file(reading: ExportReading, number: int) -> Part:
    def read() -> Iterator[Items]:
        return (portion.items for portion in reading.portions(number, resume_at=None))

    return read


def _unmapped(table: str, description: Description) -> Pipeline:
    """Return a pipeline that says no more of *table* than what it is called and which key it has."""
    return Pipeline(
        name="plan",
        source_table=table,
        source_key=tuple(description.key),
        documents=(),
        target_database="",
        target_table="",
        mode="mirror",
        on_ttl_delete="delete",
        max_reject_share=0.0,
        columns=(),
    )


def _expected(sample: Sample, about: int) -> int | None:
    if sample.items is not None:
        return min(sample.items, about) if about else sample.items
    return round(about * (sample.share or 1.0)) or None
