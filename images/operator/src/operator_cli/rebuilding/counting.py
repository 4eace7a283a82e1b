"""What a rebuild would find, without writing anything."""

import threading
from collections.abc import Callable

from ddb2aurora.pipeline import Pipeline
from operator_cli.rebuilding.counts import Counts
from operator_cli.rebuilding.judging import Judge
from operator_cli.rebuilding.objects import BackupBucket
from operator_cli.rebuilding.reading import ObjectReader, OpenDatabase
from operator_cli.rebuilding.rebuild import Watcher
from operator_cli.rebuilding.recent import RecentRows


def count_only(
    bucket: BackupBucket,
    pipeline: Pipeline,
    *,
    sums: Counts,
    until_ms: int | None,
    open_database: OpenDatabase,
    watcher: Watcher,
    check_time: Callable[[], None],
) -> None:
    """
    Add what a rebuild would find in the backup to *sums*; nothing is written anywhere.

    Raises:
        RetryError: The bucket does not answer.
        HaltError: It cannot be read before someone acts.
    """
    reader = ObjectReader(
        bucket,
        pipeline,
        judge=Judge(pipeline, until_ms=until_ms),
        recent=RecentRows(pipeline, (), keeps_backfilled=True),
        tables=None,
        open_database=open_database,
        stopping=threading.Event(),
    )

    def add(counts: Counts) -> None:
        sums.add(counts)
        watcher.read(counts)
        check_time()

    for ref in bucket.backup():
        add(reader.read("backup", ref))
    for ref in bucket.oversized():
        add(reader.read("oversized", ref))
