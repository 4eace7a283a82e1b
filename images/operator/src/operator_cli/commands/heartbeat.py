"""`ddb2aurora heartbeat`: send a sign of life through the whole pipeline."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ddb2aurora.clock import clock_ms
from operator_cli.ages import age_in_ms
from operator_cli.commands.options import DEFAULT_PIPELINES_FOLDER, PipelineName, PipelinesFolder
from operator_cli.frame import EXIT_FAILURES, EXIT_FINE, Result
from operator_cli.pipelines import find_pipeline
from operator_cli.site import Setting, Site

if TYPE_CHECKING:
    from ddb2aurora.heartbeat import Heartbeat
    from operator_cli.heartbeats import HeartbeatTable, Landing

_LOOK_EVERY_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Beat(Result):
    """
    A heartbeat that was sent *to* a place, and where it *landed*, None when that was not seen.

    *waited_ms* is how long was waited for it, None if not at all. *newest* is the newest that has landed, *age_ms* how
    long ago that was sent.
    """

    heartbeat_id: int
    sent_at_ms: int
    to: str
    waited_ms: int | None
    landed: "Landing | None"
    newest: "Landing | None"
    age_ms: int | None
    pruned: int

    @property
    def exit_code(self) -> int:
        """See `Result`."""
        return EXIT_FAILURES if self.waited_ms is not None and self.landed is None else EXIT_FINE

    @property
    def metrics(self) -> dict[str, float]:
        """See `Result`; before the first has landed there is no age."""
        return {} if self.age_ms is None else {"HeartbeatAge": self.age_ms}

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "heartbeat_id": str(self.heartbeat_id),
            "sent_at_ms": self.sent_at_ms,
            "sent_to": self.to,
            "waited_ms": self.waited_ms,
            "landed": None if self.landed is None else self.landed.as_json(),
            "newest_landed": None if self.newest is None else self.newest.as_json(),
            "age_ms": self.age_ms,
            "pruned": self.pruned,
        }

    def for_people(self) -> Iterator[str]:
        """See `Result`."""
        yield f"sent to {self.to}"
        if self.landed is not None:
            streamed_at_ms = self.landed.streamed_at_ms
            through = "" if streamed_at_ms is None else ", through the stream of the table"
            yield f"landed after {self.landed.lag_ms / 1000:.1f} s{through}"
        elif self.waited_ms is not None:
            yield f"NOT LANDED after {self.waited_ms / 1000:.0f} s: changes do not arrive; ask ddb2aurora status where"
        if self.landed is None:
            if self.age_ms is None or self.newest is None:
                yield "no heartbeat has ever landed"
            else:
                yield f"the newest that has landed was sent {self.age_ms / 1000:,.1f} s ago"


def heartbeat(
    *,
    pipeline: PipelineName = "web_analytics",
    wait: Annotated[
        str | None,
        typer.Option(
            help="Wait until it has landed, this long at most, such as 60 (seconds) or 2m.", show_default="no"
        ),
    ] = None,
    keep: Annotated[str, typer.Option(help="Forget heartbeats that landed and are older than this age.")] = "7d",
    pipelines: PipelinesFolder = DEFAULT_PIPELINES_FOLDER,
) -> Result:
    """
    Send a heartbeat: a change that says nothing but that it was sent, and lands in _ddb2aurora_heartbeat.

    Where the pipeline file keeps a key for it (source.heartbeat), it is an item of the source table and passes all
    stages; otherwise it enters at the delivery stream (DELIVERY_STREAM_NAME). Without one, a pipeline with nothing to
    do looks like one that is dead. With --wait the status is 1 when it has not landed in time.
    """
    patience_ms = None if wait is None else age_in_ms(f"{wait}s" if wait.isdecimal() else wait)
    keep_ms = age_in_ms(keep)
    by_item = bool(find_pipeline(pipeline, folder=pipelines).heartbeat)
    site = Site.of(pipeline, folder=pipelines, needs=() if by_item else (Setting.DELIVERY_STREAM,))
    return _Beating(site, patience_ms=patience_ms, keep_ms=keep_ms).run()


class _Beating:
    """One heartbeat of one pipeline."""

    def __init__(self, site: Site, *, patience_ms: int | None, keep_ms: int) -> None:
        self._site = site
        self._patience_ms = patience_ms
        self._keep_ms = keep_ms

    def run(self) -> Beat:
        """Send it, wait if that is asked for, and return what came of it."""
        from ddb2aurora.heartbeat import Heartbeat  # noqa: PLC0415 - see operator_cli.registry
        from operator_cli.heartbeats import HeartbeatTable  # noqa: PLC0415 - as above

        sent = Heartbeat(uuid.uuid4().int, clock_ms())
        to = self._send(sent)
        with self._site.database() as database:
            table = HeartbeatTable(database, pipeline=self._site.pipeline.name)
            landed = None if self._patience_ms is None else self._await(sent, table)
            waited_ms = None if self._patience_ms is None else clock_ms() - sent.sent_at_ms
            newest = table.newest()
            age_ms = None if newest is None else max(0, clock_ms() - newest.sent_at_ms)
            pruned = table.prune(sent_before_ms=sent.sent_at_ms - self._keep_ms)
        return Beat(sent.id, sent.sent_at_ms, to, waited_ms, landed, newest, age_ms, pruned)

    def _send(self, sent: "Heartbeat") -> str:
        from operator_cli.aws import dynamodb_client, firehose_client  # noqa: PLC0415 - as above
        from operator_cli.heartbeats import send_as_item, send_as_record  # noqa: PLC0415 - as above

        pipeline = self._site.pipeline
        if pipeline.heartbeat:
            send_as_item(dynamodb_client(), sent, pipeline=pipeline)
            return f"table {pipeline.source_table}"
        stream = self._site[Setting.DELIVERY_STREAM]
        send_as_record(firehose_client(), sent, pipeline=pipeline, stream=stream)
        return f"delivery stream {stream}"

    def _await(self, sent: "Heartbeat", table: "HeartbeatTable") -> "Landing | None":
        ends_at = time.monotonic() + (self._patience_ms or 0) / 1000
        while (landed := table.landing_of(sent)) is None and time.monotonic() < ends_at:
            time.sleep(_LOOK_EVERY_SECONDS)
        return landed
