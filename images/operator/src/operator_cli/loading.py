"""Have objects loaded, some at a time, and keep count of what came of them."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Final

from ddb2aurora.database.ledger import ObjectRef
from ddb2aurora.errors import RetryError
from operator_cli.invoking import FunctionFailedError
from operator_cli.sweeping import announcement_of

# So many failures and not one success: it is not the objects that are wrong.
_MOST_FAILURES_AT_FIRST: Final = 20
_MOST_NAMED: Final = 1000


@dataclass(frozen=True, slots=True)
class Failure:
    """An object that was not loaded, and the loader's own word about it."""

    url: str
    error: str
    reason: str


@dataclass(slots=True)
class Loads:
    """
    What came of the objects so far.

    *named* and *failures* hold no more than the first thousand, the counts all. *complete* is False when the work was
    given up or ran out of time before all objects had their turn.
    """

    loaded: int = 0
    failed: int = 0
    loaded_bytes: int = 0
    complete: bool = True
    named: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def add(self, ref: ObjectRef, failure: Failure | None) -> None:
        """Count *ref*, which was loaded unless there is a *failure*."""
        if failure is None:
            self.loaded += 1
            self.loaded_bytes += ref.size or 0
            if len(self.named) < _MOST_NAMED:
                self.named.append(ref.url)
        else:
            self.failed += 1
            if len(self.failures) < _MOST_NAMED:
                self.failures.append(failure)

    @property
    def hopeless(self) -> bool:
        """Whether so many failed, and none was loaded, that the rest would fail as well."""
        return self.loaded == 0 and self.failed >= _MOST_FAILURES_AT_FIRST


def load_objects(
    refs: Iterable[ObjectRef],
    *,
    load: Callable[[Mapping[str, Any]], Any],
    concurrency: int,
    told: Callable[[ObjectRef, Failure | None], None],
    time_is_up: Callable[[], bool] = lambda: False,
) -> Loads:
    """
    Have each of *refs* loaded by *load*, up to *concurrency* at a time, and return what came of them.

    *load* is given the event that announces an object. *told* hears of each object, in this thread. One that fails is
    no reason to stop; that someone has to act before any can be loaded is.

    Raises:
        HaltError: The loader cannot be called before someone acts.
    """
    loads = Loads()
    running: dict[Future[None], ObjectRef] = {}

    def collect() -> None:
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            ref = running.pop(future)
            failure = _failure_of(ref, future)
            loads.add(ref, failure)
            told(ref, failure)

    with ThreadPoolExecutor(concurrency, thread_name_prefix="load") as pool:
        try:
            for ref in refs:
                if len(running) >= concurrency:
                    collect()
                if loads.hopeless or time_is_up():
                    loads.complete = False
                    break
                running[pool.submit(_call, load, ref)] = ref
            while running:
                collect()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return loads


def _call(load: Callable[[Mapping[str, Any]], Any], ref: ObjectRef) -> None:
    load(announcement_of(ref))


def _failure_of(ref: ObjectRef, future: Future[None]) -> Failure | None:
    try:
        future.result()
    except FunctionFailedError as error:
        return Failure(ref.url, error.error_type, error.reason)
    except RetryError as error:
        return Failure(ref.url, type(error).__name__, str(error))
    return None
