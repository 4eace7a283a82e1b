"""Mend what a verification has confirmed, look whether it is mended, and let what moved meanwhile settle again."""

import dataclasses
from collections.abc import Callable
from typing import Final

from ddb2aurora.errors import RetryError
from operator_cli.named_locks import Work
from operator_cli.verifying.findings import Finding
from operator_cli.verifying.looking import Sight, look
from operator_cli.verifying.notebook import Notebook, Run
from operator_cli.verifying.repairing import Outcome, Repairer
from operator_cli.verifying.sides import Comparison, Key
from operator_cli.verifying.source import Source
from operator_cli.verifying.target import Target

_AT_ONCE: Final = 50
_ROUNDS: Final = 3


class RepairRunningError(RetryError):
    """Somebody else repairs the same table."""


REPAIR: Final = Work("repair", "repaired", RepairRunningError)
"""Of two repairs of one row, the one that read the item earlier could write later."""


class Mender:
    """The repairs of one run."""

    def __init__(
        self,
        run: Run,
        *,
        source: Source,
        target: Target,
        comparison: Comparison,
        repairer: Repairer,
        notebook: Notebook,
        now_ms: Callable[[], int],
        mended: Callable[[int], None],
    ) -> None:
        """Mend the findings of *run*; *mended* hears how many more were dealt with."""
        self._run = run
        self._source = source
        self._target = target
        self._comparison = comparison
        self._repairer = repairer
        self._notebook = notebook
        self._now_ms = now_ms
        self._mended = mended

    def mend(self, *, settle: Callable[[], None]) -> None:
        """
        Mend all confirmed findings; call *settle* for those that changed meanwhile, and mend what that confirms.

        Raises:
            RetryError: One of the sides does not answer.
            HaltError: One of the sides cannot be read before someone acts.
            pymysql.err.Error: The database does not answer.
        """
        for _ in range(_ROUNDS):
            after = b""
            while page := self._notebook.findings(self._run.run_id, states=("confirmed",), after=after, limit=_AT_ONCE):
                after = page[-1].key_id
                self._notebook.checkpoint(self._run, self._mend_page(page))
                self._mended(len(page))
            settle()
            if not self._notebook.findings(self._run.run_id, states=("confirmed",), limit=1):
                return

    def _mend_page(self, page: tuple[Finding, ...]) -> list[Finding]:
        keyed = {found.row_key: found for found in page if found.row_key is not None}
        read_at_ms = self._now_ms()
        sights = self._look(list(keyed))
        outcomes: dict[Key, Outcome] = {
            key: self._repairer.repair(key, sight, read_at_ms=read_at_ms)
            for key, sight in sights.items()
            if sight.is_steady and sight.verdict.kind in ("missing", "extra", "different")
        }
        after = self._look([key for key, outcome in outcomes.items() if outcome == "written"])
        return [self._become(found, outcomes.get(key), after.get(key, sights[key])) for key, found in keyed.items()]

    def _become(self, found: Finding, outcome: Outcome | None, sight: Sight) -> Finding:
        now_ms = self._now_ms()
        seen = found.seen_again(sight.verdict, signature=None, now_ms=now_ms, settle_ms=0)
        if outcome == "written" and sight.verdict.kind == "equal":
            return dataclasses.replace(seen, state="repaired")
        if isinstance(outcome, int):
            return dataclasses.replace(
                found, state="refused", note=f"error {outcome} of the database", checked_ms=now_ms
            )
        return seen

    def _look(self, keys: list[Key]) -> dict[Key, Sight]:
        return look(keys, source=self._source, target=self._target, comparison=self._comparison) if keys else {}
