"""
One verification from its first page to its last second look, in threads, with checkpoints, to be resumed at any point.

Phases: *source* (every item against its row), *target* (every row that no item accounted for), *settling* (findings are
looked at again until each is confirmed or gone), *compared*. What is kept in memory is a page and its rows for each
thread, the sums of keys, and findings until the next checkpoint; findings live in the database.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol

from ddb2aurora.errors import RetryError
from operator_cli.verifying.findings import Finding
from operator_cli.verifying.looking import look
from operator_cli.verifying.notebook import Notebook, Run
from operator_cli.verifying.passes import Compared, compare, suspects, without_item
from operator_cli.verifying.plan import Plan
from operator_cli.verifying.seen import KeySums
from operator_cli.verifying.sides import Comparison, Key
from operator_cli.verifying.source import MAX_BATCH_READS, Source
from operator_cli.verifying.target import Target

_CHECKPOINT_SECONDS: Final = 5.0
_MOST_FINDINGS_IN_MEMORY: Final = 2000
_MOST_TRIES: Final = 5
_PAUSE_SECONDS: Final = 2.0
_SHORTEST_PAUSE_SECONDS: Final = 0.2

OpenTarget = Callable[[], AbstractContextManager[Target]]


class Watcher(Protocol):
    """Who is told how a verification gets on; called by several threads."""

    def compared(self, items: int) -> None:
        """Some items were compared with their rows."""
        ...

    def read(self, rows: int) -> None:
        """Some rows were looked for among the items."""
        ...

    def settling(self, pending: int) -> None:
        """So many findings are not certain yet."""
        ...


class Verification:
    """A verification that is about to run, or to go on."""

    def __init__(
        self,
        run: Run,
        *,
        source: Source,
        comparison: Comparison,
        open_target: OpenTarget,
        notebook: Notebook,
        watcher: Watcher,
        now_ms: Callable[[], int],
        threads: int,
    ) -> None:
        """Go on with *run*; each of *threads* opens a target of its own."""
        self._run = run
        self._plan = Plan.from_json(run.plan)
        self._source = source
        self._comparison = comparison
        self._open_target = open_target
        self._notebook = notebook
        self._watcher = watcher
        self._now_ms = now_ms
        self._threads = threads
        self._seen = KeySums(run.seen)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._unwritten: list[Finding] = []
        self._written_at = time.monotonic()

    def run(self) -> None:
        """
        Do what is left of the run.

        Raises:
            RetryError: One of the sides does not answer; the run may be resumed.
            HaltError: One of the sides cannot be read before someone acts; the run may be resumed.
            pymysql.err.Error: The database of the notes does not answer.
        """
        with ThreadPoolExecutor(self._threads, thread_name_prefix="verify") as executor:
            try:
                if self._run.phase == "source":
                    self._pass_over_source(executor)
                    self._enter("target")
                if self._run.phase == "target":
                    self._pass_over_target(executor)
                    self._enter("settling")
                if self._run.phase == "settling":
                    self.settle()
                    self._enter("compared")
            except BaseException:
                self._source.hurry()
                raise
            finally:
                # Ctrl-C and errors come here too: the threads end after their page, and what they did is kept.
                self._stopping.set()
                executor.shutdown(cancel_futures=True)
                with self._lock:
                    self._checkpoint()

    def settle(self) -> None:
        """
        Look at pending findings again until there is none.

        Raises:
            RetryError: One of the sides does not answer.
            HaltError: One of the sides cannot be read before someone acts.
            pymysql.err.Error: The database does not answer.
        """
        with self._open_target() as target:
            while True:
                pending, oldest_ms = self._look_again(target)
                self._watcher.settling(pending)
                if not pending:
                    return
                due_in_ms = oldest_ms + self._plan.settle_ms - self._now_ms()
                time.sleep(max(_SHORTEST_PAUSE_SECONDS, due_in_ms / 1000))

    def _look_again(self, target: Target) -> tuple[int, int]:
        """Look at all pending findings, and return how many are left and since when the oldest has not changed."""
        pending, oldest_ms, after = 0, self._now_ms(), b""
        while page := self._notebook.findings(
            self._run.run_id, states=("pending",), after=after, limit=MAX_BATCH_READS
        ):
            after = page[-1].key_id
            seen = self._seen_again(target, page)
            self._notebook.checkpoint(self._run, seen)
            for found in seen:
                if found.state == "pending":
                    pending += 1
                    oldest_ms = min(oldest_ms, found.since_ms)
        return pending, oldest_ms

    def _seen_again(self, target: Target, findings: Sequence[Finding]) -> list[Finding]:
        keyed = [(found, found.row_key) for found in findings if found.row_key is not None]
        sights = look([key for _, key in keyed], source=self._source, target=target, comparison=self._comparison)
        now_ms = self._now_ms()
        return [
            found.seen_again(
                sights[key].verdict, signature=sights[key].signature, now_ms=now_ms, settle_ms=self._plan.settle_ms
            )
            for found, key in keyed
        ]

    def _pass_over_source(self, executor: ThreadPoolExecutor) -> None:
        waiting: SimpleQueue[int] = SimpleQueue()
        for segment in self._plan.segments:
            if self._run.positions.get(str(segment), {}) is not None:
                waiting.put(segment)
        working = [executor.submit(self._work_on, waiting) for _ in range(self._threads)]
        for worker in working:
            worker.result()

    def _work_on(self, waiting: "SimpleQueue[int]") -> None:
        while not self._stopping.is_set():
            try:
                segment = waiting.get_nowait()
            except Empty:
                return
            try:
                self._compare_patiently(segment)
            except BaseException:
                # The others need not go on: nothing of it is lost.
                self._stopping.set()
                raise

    def _compare_patiently(self, segment: int) -> None:
        for attempt in range(1, _MOST_TRIES + 1):
            try:
                self._compare_segment(segment)
            except RetryError:
                if attempt == _MOST_TRIES or self._stopping.wait(_PAUSE_SECONDS * attempt):
                    raise
            else:
                return

    def _compare_segment(self, segment: int) -> None:
        position = self._run.positions.get(str(segment)) or None
        with self._open_target() as target:
            for page in self._source.pages(segment, of=self._plan.of_segments, resume_at=position):
                compared = compare(
                    page.items,
                    source=self._source,
                    target=target,
                    comparison=self._comparison,
                    now_ms=self._now_ms(),
                )
                self._page_done(segment, page.resume_at, compared)
                if self._stopping.is_set():
                    return

    def _page_done(self, segment: int, resume_at: Any, compared: Compared) -> None:  # noqa: ANN401 - a key, or None
        with self._lock:
            self._run.positions[str(segment)] = resume_at
            self._seen.add(compared.hashes)
            self._count(compared.counts)
            self._unwritten += compared.findings
            overdue = time.monotonic() - self._written_at > _CHECKPOINT_SECONDS
            if overdue or len(self._unwritten) > _MOST_FINDINGS_IN_MEMORY:
                self._checkpoint()
        self._watcher.compared(compared.counts.total())

    def _pass_over_target(self, executor: ThreadPoolExecutor) -> None:
        # A part of the source says nothing of the rows that the other parts account for.
        seen = self._seen if self._plan.is_whole else None
        kept = self._comparison.kind_of_extra == "kept"
        counts: Counter[str] = Counter()
        # Begun anew when the run is resumed.
        self._run.counts.pop("kept", None)
        with self._open_target() as target:
            keys = suspects(target, plan=self._plan, seen=seen, counted=self._watcher.read)
            for key in without_item(keys, source=self._source, comparison=self._comparison, executor=executor):
                if kept:
                    counts["kept"] += 1
                    continue
                self._found_extra(key)
        self._count(counts)

    def _found_extra(self, key: Key) -> None:
        keys = self._source.keys.of_row(key)
        text = None if keys is None else self._source.keys.text(keys)
        now_ms = self._now_ms()
        self._unwritten.append(Finding(text, key, "extra", since_ms=now_ms, checked_ms=now_ms))
        if len(self._unwritten) > _MOST_FINDINGS_IN_MEMORY:
            self._checkpoint()

    def _count(self, counts: Counter[str]) -> None:
        for name, count in counts.items():
            self._run.counts[name] = self._run.counts.get(name, 0) + count

    def _enter(self, phase: str) -> None:
        with self._lock:
            self._run.phase = phase
            self._checkpoint()

    def _checkpoint(self) -> None:
        self._run.counts["read_units"] = self._run.counts.get("read_units", 0) + self._source.take_spent()
        self._run.seen = (
            self._seen.content() if self._run.phase in ("source", "target") and self._plan.is_whole else b""
        )
        self._notebook.checkpoint(self._run, self._unwritten)
        self._unwritten = []
        self._written_at = time.monotonic()
