"""
The two passes of a verification: every item against its row, then every row that no item accounted for.

Items come in pages of a parallel Scan, so a thread holds one page and the rows of 500 items. Rows come as keys in the
order of the primary key. A row is asked for in the source only if its bucket of keys differs from what the first pass
saw; see `verifying.seen`.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import Final, NamedTuple

from operator_cli.verifying.findings import Finding
from operator_cli.verifying.plan import Plan
from operator_cli.verifying.seen import KeySums, everywhere, hash_of, is_in
from operator_cli.verifying.sides import Comparison, Item, Key
from operator_cli.verifying.source import MAX_BATCH_READS, Source
from operator_cli.verifying.target import Target

_ITEMS_AT_ONCE: Final = 500
_BATCHES_AT_ONCE: Final = 8
_LISTED: Final = frozenset({"missing", "extra", "different", "unloadable"})


class Compared(NamedTuple):
    """What came of some items: how many of each kind, what was found, and the hashes of the living rows' keys."""

    counts: Counter[str]
    findings: list[Finding]
    hashes: list[int]


def compare(items: Iterable[Item], *, source: Source, target: Target, comparison: Comparison, now_ms: int) -> Compared:
    """
    Compare *items* with their rows.

    Raises:
        pymysql.err.Error: The database did not answer.
    """
    compared = Compared(Counter(), [], [])
    remaining = iter(items)
    while some := list(itertools.islice(remaining, _ITEMS_AT_ONCE)):
        keyed = [(comparison.row_key(comparison.keys_of(item)), item) for item in some]
        rows = target.rows([key for key, _ in keyed if key is not None])
        for key, item in keyed:
            row = None if key is None else rows.get(key)
            verdict = comparison.judge(item, row)
            compared.counts[verdict.kind] += 1
            if row is not None and key is not None and not row.is_stamped:
                compared.hashes.append(hash_of(key))
            if verdict.kind in _LISTED:
                compared.findings.append(
                    Finding(
                        source.keys.text(comparison.keys_of(item)),
                        key,
                        verdict.kind,
                        "rejected" if verdict.kind == "unloadable" else "pending",
                        verdict.columns,
                        verdict.reason or "",
                        since_ms=now_ms,
                        checked_ms=now_ms,
                    )
                )
    return compared


def suspects(target: Target, *, plan: Plan, seen: KeySums | None, counted: Callable[[int], None]) -> Iterator[Key]:
    """
    Yield the keys of the rows that no item may have accounted for; all of the plan's when nobody knows what was *seen*.

    *counted* hears of each page of keys how many there were.

    Raises:
        pymysql.err.Error: The database did not answer.
    """
    buckets = everywhere()
    if seen is not None:
        there = KeySums()
        for page in target.living_keys():
            there.add(map(hash_of, page))
        buckets = seen.differing(there)
        if not any(buckets):
            return
    for page in target.living_keys():
        counted(len(page))
        for key in page:
            value = hash_of(key)
            if is_in(buckets, value) and plan.has(value):
                yield key


def without_item(keys: Iterable[Key], *, source: Source, comparison: Comparison, executor: Executor) -> Iterator[Key]:
    """
    Yield those of *keys* whose item is not there.

    Raises:
        RetryError: The table cannot be read now.
        HaltError: It cannot be read before someone acts.
    """

    def absent(batch: list[Key]) -> list[Key]:
        asked = [found for found in map(source.keys.of_row, batch) if found is not None]
        there = {comparison.row_key(item) for item in source.get(asked, keys_only=True)}
        return [key for key in batch if key not in there]

    remaining = iter(keys)
    while batches := list(
        itertools.islice(iter(lambda: list(itertools.islice(remaining, MAX_BATCH_READS)), []), _BATCHES_AT_ONCE)
    ):
        for found in executor.map(absent, batches):
            yield from found
