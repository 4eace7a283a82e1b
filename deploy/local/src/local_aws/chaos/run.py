"""One run of chaos through a running stack: attack, make quiet, mend, compare."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pymysql

from ddb2aurora.pipeline import Pipeline
from local_aws.chaos.accounts import Accounts, take_accounts
from local_aws.chaos.mending import Mender
from local_aws.chaos.plan import RATES, Pace, Plan
from local_aws.chaos.rivals import Rivals
from local_aws.chaos.twins import Twins
from local_aws.chaos.workload import hot_keys
from local_aws.chaos.writer import Writer
from local_aws.demo.counts import StageCounts, counts_of
from local_aws.demo.proof import Proof, prove
from local_aws.faults import Faults
from local_aws.stack import resources
from local_aws.stack.embedded import EmbeddedStack

if TYPE_CHECKING:
    from pymysql.connections import Connection

_LOOK_EVERY_SECONDS: Final = 0.5
_SWEEP_EVERY_SECONDS: Final = 10
# An object of this age has usually been announced and loaded; sweeping a younger one does no harm.
_SWEPT_AFTER_SECONDS: Final = 10
_QUIET_LOOKS: Final = 4
# On a busy machine a run may take this many times as long as it was planned.
_LONGEST_OVERTIME: Final = 3
_LONGEST_FLUSH_SECONDS: Final = 60


class RestlessError(Exception):
    """The path has not become quiet in time after the faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run has shown."""

    plan: Plan
    written: int
    seconds: float
    faults: Mapping[str, int]
    mended: Mapping[str, int]
    counts: StageCounts
    load_retries: int
    proof: Proof
    accounts: Accounts

    @property
    def too_rare(self) -> tuple[str, ...]:
        """The faults that have not struck as often as the plan asks for."""
        return too_rare_in(self.faults, self.plan)

    @property
    def holds(self) -> bool:
        """Whether the promise was kept, under all the faults that were asked for."""
        return self.proof.holds and self.accounts.holds and not self.too_rare and self.written >= self.plan.changes


def too_rare_in(faults: Mapping[str, int], plan: Plan) -> tuple[str, ...]:
    """Return the names of the faults that have not struck as often as *plan* asks for."""
    return tuple(name for name in RATES if faults.get(name, 0) < plan.least)


@dataclass(frozen=True, slots=True)
class Moment:
    """How far a run has come."""

    phase: str
    written: int
    counts: StageCounts | None
    faults: Mapping[str, int]


class Run:
    """A plan at work on one pipeline of a stack."""

    def __init__(
        self,
        stack: EmbeddedStack,
        pipeline: Pipeline,
        plan: Plan,
        *,
        faults: Faults,
        pace: Pace,
        show: Callable[[Moment], None],
    ) -> None:
        """*faults* are those of the stack, and *pace* is theirs; *show* is told how far the run has come."""
        self._stack = stack
        self._pipeline = pipeline
        self._plan = plan
        self._faults = faults
        self._pace = pace
        self._show = show
        running = stack.running[pipeline.name]
        self._running = running
        self._mender = Mender(
            pipeline,
            clients=stack.clients,
            bucket=resources.BUCKET,
            loader=running.loader,
            stream_processor=running.stream_processor,
        )
        self._writer = Writer(stack.clients.dynamodb, pipeline, plan)

    def run(self) -> Result:
        """
        Do everything, and return what it has shown.

        Raises:
            RestlessError: The path does not become quiet after the faults.
        """
        started = time.monotonic()
        self._attack()
        seconds = time.monotonic() - started
        self._make_quiet()
        with self._connected() as connection:
            self._tell("taking accounts")
            accounts = take_accounts(
                self._pipeline,
                clients=self._stack.clients,
                bucket=resources.BUCKET,
                connection=connection,
                stream_arn=self._stream_arn(),
            )
            self._tell("comparing both tables")
            proof = prove(self._pipeline, clients=self._stack.clients, bucket=resources.BUCKET, connection=connection)
            counts = counts_of(self._stack, self._pipeline, connection)
        return Result(
            plan=self._plan,
            written=self._writer.written(),
            seconds=seconds,
            faults=self._faults.counts,
            mended=dict(self._mender.mended),
            counts=counts,
            load_retries=self._load_retries(),
            proof=proof,
            accounts=accounts,
        )

    def _attack(self) -> None:
        """Write, with all faults on, until the plan is done."""
        started = time.monotonic()
        self._faults.rest(resting=False)
        self._writer.start()
        try:
            with (
                Rivals(self._stack.database, self._pipeline, self._faults, hot_keys=hot_keys()),
                Twins(self._mender, self._running.loader, self._faults, connected=self._connected),
                self._sweeping(),
            ):
                while not self._is_over(time.monotonic() - started):
                    time.sleep(_LOOK_EVERY_SECONDS)
                    self._tell("writing, with faults at every hop")
        finally:
            self._writer.stop()
            self._faults.rest()

    def _is_over(self, elapsed_seconds: float) -> bool:
        """Say whether the plan is done; faults that are still too rare get more changes, but not for ever."""
        plan, written = self._plan, self._writer.written()
        self._pace.reach(min(elapsed_seconds / plan.seconds, written / plan.changes))
        if elapsed_seconds < plan.seconds or written < plan.changes:
            return elapsed_seconds > _LONGEST_OVERTIME * plan.seconds
        too_rare = too_rare_in(self._faults.counts, plan)
        return not too_rare or elapsed_seconds > _LONGEST_OVERTIME * plan.seconds

    def _make_quiet(self) -> None:
        """Let everything through, and mend what was lost or given up, until there is nothing left to mend."""
        deadline = time.monotonic() + 120 + self._plan.changes / 200
        quiet = 0
        while quiet < _QUIET_LOOKS:
            time.sleep(_LOOK_EVERY_SECONDS)
            self._tell("faults off: draining and mending")
            self._stack.firehose.flush(timeout_seconds=_LONGEST_FLUSH_SECONDS)
            quiet = quiet + 1 if self._running.idle and not self._mend() else 0
            if time.monotonic() > deadline:
                raise RestlessError(
                    f"the path is not quiet {120 + self._plan.changes / 200:g} s after the last fault: "
                    f"{self._running.mapping.counters}, {self._running.notifications.counters}"
                )

    def _mend(self) -> int:
        mender = self._mender
        with self._connected() as connection:
            return (
                mender.replay_batches() + mender.redrive_records() + mender.redrive_events() + mender.sweep(connection)
            )

    @contextlib.contextmanager
    def _sweeping(self) -> Iterator[None]:
        """Sweep now and then, as a schedule would on AWS."""
        stop = threading.Event()

        def sweep() -> None:
            while not stop.wait(_SWEEP_EVERY_SECONDS):
                with contextlib.suppress(pymysql.err.Error, OSError), self._connected() as connection:
                    self._mender.sweep(connection, older_than_seconds=_SWEPT_AFTER_SECONDS)

        thread = threading.Thread(target=sweep, name="chaos sweep", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _tell(self, phase: str) -> None:
        counts = None
        # The server may be down just now, which is no news here.
        with contextlib.suppress(pymysql.err.Error, OSError), self._connected() as connection:
            counts = counts_of(self._stack, self._pipeline, connection)
        self._show(Moment(phase, self._writer.written(), counts, self._faults.counts))

    def _load_retries(self) -> int:
        """Return how often the loader began a load again, which it tells in its metrics."""
        log = self._stack.folder / f"{self._pipeline.name}-aurora-loader.log"
        with log.open("rb") as lines:
            return sum(b'"LoadsRetried": 1' in line for line in lines)

    def _stream_arn(self) -> str:
        table = self._stack.clients.dynamodb.describe_table(TableName=self._pipeline.source_table)["Table"]
        return table["LatestStreamArn"]

    @contextlib.contextmanager
    def _connected(self) -> Iterator["Connection[Any]"]:
        connection = self._stack.database.connect(autocommit=True)
        try:
            yield connection
        finally:
            with contextlib.suppress(pymysql.err.Error, OSError):
                connection.close()
