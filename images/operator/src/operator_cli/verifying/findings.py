"""
What was found to differ, and how a finding becomes certain.

A finding is *pending* until it has been seen again, twice, with the target's side unchanged for longer than the
pipeline takes to carry a change. Whatever was in flight when it was first seen would have arrived by then, and would
have changed the row or its tombstone. So then it is *confirmed*; or it is *gone*, because the sides agree by now. A row
that keeps changing is *moving*: the pipeline writes it, and wrote all of it since the finding. An item that can never
load is *rejected*, whatever its row. What was mended is *repaired*, unless the database *refused* it.
"""

import dataclasses
import hashlib
import json
from typing import Final, Literal, TypeAlias

from operator_cli.verifying.sides import Key, Kind, Verdict

State: TypeAlias = Literal["pending", "confirmed", "gone", "moving", "rejected", "repaired", "refused"]

_MOST_RESTARTS: Final = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """
    One item or row that is not as it should be.

    *item_key* is the key of the item as a text, None when no item can have it; *row_key* is that of the row, None when
    no row can. *signature* stands for the row and its tombstone since *since_ms*, None before it was seen again.
    """

    item_key: str | None
    row_key: Key | None
    kind: Kind
    state: State = "pending"
    columns: tuple[str, ...] = ()
    note: str = ""
    signature: str | None = None
    since_ms: int = 0
    checked_ms: int = 0
    restarts: int = 0

    @property
    def key_id(self) -> bytes:
        """What tells this key from all others: 32 bytes."""
        text = self.item_key if self.row_key is None else json.dumps(self.row_key)
        return hashlib.sha256((text or "").encode()).digest()

    @property
    def key_hash(self) -> str:
        """A short hash that stands for the key where keys are not shown."""
        return self.key_id.hex()[:16]

    def seen_again(self, verdict: Verdict, *, signature: str | None, now_ms: int, settle_ms: int) -> "Finding":
        """
        Return what becomes of this finding when the two sides are seen once more and *verdict* is what was seen.

        *signature* is None if the target changed while it was looked at.
        """
        seen = dataclasses.replace(
            self, checked_ms=now_ms, kind=verdict.kind, columns=verdict.columns, note=verdict.reason or ""
        )
        if verdict.kind in ("equal", "kept"):
            return dataclasses.replace(seen, state="gone", kind=self.kind, columns=self.columns)
        if verdict.kind == "unloadable":
            return dataclasses.replace(seen, state="rejected")
        if signature is None or signature != self.signature:
            restarts = self.restarts + (self.signature is not None or signature is None)
            state: State = "moving" if restarts > _MOST_RESTARTS else "pending"
            return dataclasses.replace(seen, state=state, signature=signature, since_ms=now_ms, restarts=restarts)
        return dataclasses.replace(seen, state="confirmed" if now_ms - self.since_ms >= settle_ms else "pending")
