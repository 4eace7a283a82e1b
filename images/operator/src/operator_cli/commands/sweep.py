"""`ddb2aurora sweep`: load the objects that nobody loaded."""

import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from operator_cli.ages import age_in_ms
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.frame import EXIT_FAILURES, EXIT_FINE, Result
from operator_cli.progress import progress
from operator_cli.site import Setting, Site

if TYPE_CHECKING:
    from ddb2aurora.database.ledger import ObjectRef
    from operator_cli.loading import Failure, Loads
    from operator_cli.sweeping import Looked

_HOUR: Final = re.compile(r"\d{4}/\d\d/\d\d/\d\d", re.ASCII)
_MOST_NAMED: Final = 1000


@dataclass(frozen=True, slots=True)
class Swept(Result):
    """
    What a sweep found: how many objects it *looked_at*, left alone as *young*, and which the ledger lacked.

    *missing* counts them; a dry run only names the first of them in *named*.
    """

    looked_at: int
    young: int
    missing: int
    dry_run: bool
    named: tuple[str, ...]
    loads: "Loads | None" = None

    @property
    def exit_code(self) -> int:
        """See `Result`: a dry run that finds something has found differences."""
        if self.loads is None:
            return EXIT_FAILURES if self.missing else EXIT_FINE
        return EXIT_FAILURES if self.loads.failed else EXIT_FINE

    @property
    def metrics(self) -> dict[str, float]:
        """See `Result`."""
        return {"ObjectsMissed": self.missing}

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        loads = self.loads
        return {
            "looked_at": self.looked_at,
            "young": self.young,
            "missing": self.missing,
            "dry_run": self.dry_run,
            "complete": loads is None or loads.complete,
            "loaded": 0 if loads is None else loads.loaded,
            "loaded_bytes": 0 if loads is None else loads.loaded_bytes,
            "failed": 0 if loads is None else loads.failed,
            "objects": list(self.named if loads is None else loads.named),
            "failures": [] if loads is None else [asdict(failure) for failure in loads.failures],
        }

    def for_people(self) -> Iterator[str]:
        """See `Result`."""
        if self.loads is None:
            yield from (f"missing  {url}" for url in self.named)
        else:
            yield from (f"loaded   {url}" for url in self.loads.named)
            yield from (
                f"FAILED   {found.url}\n         {found.error}: {found.reason}" for found in self.loads.failures
            )
        young = f", {self.young:,} of them too young to tell" if self.young else ""
        text = f"looked at {self.looked_at:,} objects{young}; the ledger lacks {self.missing:,}"
        if self.loads is None:
            yield text
            return
        yield f"{text}: {self.loads.loaded:,} loaded, {self.loads.failed:,} failed"
        if not self.loads.complete:
            why = "every one of the first failed" if self.loads.hopeless else "the time was up"
            yield f"not all had their turn, since {why}; sweep again to go on"


def sweep(
    *,
    pipeline: PipelineName = "web_analytics",
    older_than: Annotated[
        str, typer.Option("--older-than", help="Leave younger objects to their own event; an age such as 15m.")
    ] = "15m",
    since: Annotated[
        str | None,
        typer.Option(
            help="Look only at objects of this hour (UTC) and later: an age such as 2d, or an hour as 2026/11/24/10.",
            show_default="all objects",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Name what the ledger lacks, and load nothing.")] = False,
    concurrency: Annotated[int, typer.Option(min=1, max=100, help="How many objects are loaded at a time.")] = 4,
    within: Annotated[
        str | None,
        typer.Option(
            help="Begin no load after this time, such as 12m; the next sweep goes on.", show_default="no limit"
        ),
    ] = None,
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> Result:
    """
    Load the objects under processed/ that the ledger lacks: S3 announced them, and the announcement was lost.

    Each is given to the aurora-loader function with the event that S3 would have sent. The ledger makes that safe: an
    object that somebody else loads meanwhile is loaded once. The status is 1 when an object could not be loaded; the
    loader's reason is shown with it. Needs BUCKET_NAME and AURORA_LOADER_FUNCTION.
    """
    before = datetime.now(UTC) - timedelta(milliseconds=age_in_ms(older_than))
    first_hour = None if since is None else hour_of(since, now=datetime.now(UTC))
    ends_at = None if within is None else time.monotonic() + age_in_ms(within) / 1000
    site = Site.of(pipeline, folder=pipelines, needs=(Setting.BUCKET, Setting.LOADER))
    return _Sweep(site, before=before, first_hour=first_hour, ends_at=ends_at).run(concurrency, dry_run=dry_run)


def hour_of(since: str, *, now: datetime) -> str:
    """
    Return the hour that *since* says, as a key of an object has it.

    Raises:
        BadParameter: It says none.
    """
    if "/" in since:
        if not _is_hour(since):
            raise typer.BadParameter(f"an hour is written as in a key, in UTC: 2026/11/24/10, and not {since!r}")
        return since
    return (now - timedelta(milliseconds=age_in_ms(since))).strftime("%Y/%m/%d/%H")


def _is_hour(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y/%m/%d/%H").replace(tzinfo=UTC)
    except ValueError:
        return False
    # Keys are compared as texts, so each number has all its digits.
    return _HOUR.fullmatch(text) is not None


class _Sweep:
    """One sweep of one pipeline."""

    def __init__(self, site: Site, *, before: datetime, first_hour: str | None, ends_at: float | None) -> None:
        self._site = site
        self._before = before
        self._first_hour = first_hour
        self._ends_at = ends_at
        self._missing = 0

    def run(self, concurrency: int, *, dry_run: bool) -> Swept:
        """Look, load unless it is a *dry_run*, and return what came of it."""
        from operator_cli.aws import aws_errors, lambda_client, s3_client  # noqa: PLC0415 - see operator_cli.registry
        from operator_cli.invoking import InvokedFunction  # noqa: PLC0415 - as above
        from operator_cli.loading import load_objects  # noqa: PLC0415 - as above
        from operator_cli.sweeping import Looked, lacking  # noqa: PLC0415 - as above

        s3, looked, bucket = s3_client(), Looked(), self._site[Setting.BUCKET]
        with self._site.database() as database, progress() as display, aws_errors(where=f"bucket {bucket}"):
            task = display.add_task("looking", total=None)

            def objects() -> "Iterator[ObjectRef]":
                for ref in self._objects(s3, looked):
                    display.update(task, completed=looked.seen)
                    yield ref

            def missing() -> "Iterator[ObjectRef]":
                for ref in lacking(objects(), connection=database.connection, database=database.name):
                    self._missing += 1
                    yield ref

            if dry_run:
                named: list[str] = []
                for ref in missing():
                    if len(named) < _MOST_NAMED:
                        named.append(ref.url)
                return Swept(looked.seen, looked.young, self._missing, dry_run, tuple(named))
            loader = InvokedFunction(lambda_client(connections=concurrency), name=self._site[Setting.LOADER])

            def told(_ref: "ObjectRef", failure: "Failure | None") -> None:
                state = "a load failed" if failure else "loading"
                display.update(task, description=f"{state}; looked at")

            loads = load_objects(
                missing(), load=loader, concurrency=concurrency, told=told, time_is_up=self._time_is_up
            )
        return Swept(looked.seen, looked.young, self._missing, dry_run, (), loads)

    def _objects(self, s3: Any, looked: "Looked") -> "Iterator[ObjectRef]":  # noqa: ANN401 - the SDK's client
        from operator_cli.sweeping import folders_under, objects_under  # noqa: PLC0415 - as above

        bucket, region = self._site[Setting.BUCKET], s3.meta.region_name
        prefix = f"processed/{self._site.pipeline.name}/"
        if self._first_hour is None:
            yield from objects_under(
                s3, bucket=bucket, prefix=prefix, region=region, before=self._before, looked=looked
            )
            return
        for folder in folders_under(s3, bucket=bucket, prefix=prefix):
            # Keys are listed in their order, and those of an hour begin with it.
            after = f"{folder}{self._first_hour}"
            yield from objects_under(
                s3, bucket=bucket, prefix=folder, region=region, before=self._before, after=after, looked=looked
            )

    def _time_is_up(self) -> bool:
        return self._ends_at is not None and time.monotonic() >= self._ends_at
