"""What rows add up to before they are applied."""

from ddb2aurora.database.applying.staged import Staged
from ddb2aurora.dialect import Row
from ddb2aurora.version import version_of

VERSION = version_of(stream_epoch_ms=500, sequence_number="9" * 40)


def a_row(operation="U", *, version=VERSION, changed_at_ms=1000):
    return Row("shape", operation, version, changed_at_ms, ("a",))


def test_rows_are_counted_by_operation_with_the_newest_and_the_oldest_time_and_the_lowest_version():
    staged = Staged.of(
        [a_row(changed_at_ms=3000), a_row("D", version=7, changed_at_ms=2000), a_row("S"), a_row("S", version=8)]
    )

    assert staged == Staged(
        upserts=1, deletes=1, soft_deletes=2, newest_changed_at_ms=3000, oldest_ms=1000, lowest_version=7
    )
    assert staged.rows == 4


def test_a_row_without_a_time_is_as_old_as_its_stream_and_a_backfilled_one_as_old_as_can_be():
    assert Staged.of([a_row(), a_row(changed_at_ms=None)]).oldest_ms == 500
    assert Staged.of([a_row(), a_row(version=0, changed_at_ms=None)]).oldest_ms == 0
    assert Staged.of([a_row(version=0, changed_at_ms=2000)]).oldest_ms == 2000


def test_heartbeats_are_no_rows_and_their_times_say_nothing_about_the_target():
    beats = [a_row("H", version=0, changed_at_ms=None), a_row("H", changed_at_ms=9000)]

    assert Staged.of([a_row(), *beats]) == Staged(
        upserts=1, heartbeats=2, newest_changed_at_ms=1000, oldest_ms=1000, lowest_version=VERSION
    )
    assert Staged.of(beats) == Staged(heartbeats=2)
    assert Staged.of(beats).rows == 0


def test_no_rows_have_no_times():
    assert Staged.of([]) == Staged()
