import pytest

from local_aws.firehose.journal import Kept, StreamJournal, saved_streams


def left_behind(folder, *batches, stream="changes"):
    """Keep records as a process does that then dies."""
    journal = StreamJournal(folder, stream)
    for batch in batches:
        journal.append(batch)
    journal.close()


@pytest.fixture
def a_journal(tmp_path):
    journals = []

    def make(**options):
        journals.append(StreamJournal(tmp_path, "changes", **options))
        return journals[-1]

    yield make
    for journal in journals:
        journal.close()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_records_that_were_not_delivered_are_recovered_by_the_next_process(tmp_path):
    left_behind(tmp_path, [(1000, b"one"), (1000, b"")], [(2000, b"\x00two\n")])

    recovered = list(StreamJournal(tmp_path, "changes").recovered())

    assert recovered == [Kept(1, 1000, b"one"), Kept(1, 1000, b""), Kept(1, 2000, b"\x00two\n")]


def test_a_segment_is_removed_with_the_last_of_its_records(tmp_path, a_journal):
    journal = a_journal()
    segment = journal.append([(1000, b"one"), (1000, b"two")])

    journal.finished(segment)
    before = names_in(tmp_path)
    journal.finished(segment)

    assert (before, names_in(tmp_path)) == (["changes.000000000001.journal"], [])


def test_another_segment_is_begun_when_one_is_full_and_each_is_removed_by_itself(tmp_path, a_journal):
    journal = a_journal(segment_bytes=10)
    segments = [journal.append([(1000, b"x" * 10)]) for _ in range(3)]

    journal.finished(segments[1])

    assert segments == [1, 2, 3]
    assert names_in(tmp_path) == ["changes.000000000001.journal", "changes.000000000003.journal"]


def test_recovered_records_are_removed_once_they_are_delivered(tmp_path, a_journal):
    left_behind(tmp_path, [(1000, b"one")])
    journal = a_journal()
    kept = list(journal.recovered())
    fresh = journal.append([(2000, b"two")])

    journal.finished(kept[0].segment)

    assert (fresh, names_in(tmp_path)) == (2, ["changes.000000000002.journal"])


@pytest.mark.parametrize("cut", [1, 4, 19])
def test_a_record_that_a_crash_cut_short_is_left_out_and_those_before_it_are_not(tmp_path, cut):
    left_behind(tmp_path, [(1000, b"one"), (1000, b"two")])
    path = tmp_path / "changes.000000000001.journal"
    path.write_bytes(path.read_bytes()[:-cut])

    recovered = list(StreamJournal(tmp_path, "changes").recovered())

    assert recovered == [Kept(1, 1000, b"one")]


def test_a_damaged_record_is_left_out_and_reported(tmp_path, caplog):
    left_behind(tmp_path, [(1000, b"one")])
    path = tmp_path / "changes.000000000001.journal"
    path.write_bytes(path.read_bytes()[:-1] + b"?")

    recovered = list(StreamJournal(tmp_path, "changes").recovered())

    assert (recovered, names_in(tmp_path)) == ([], [])
    assert [(record.message, record.bytes) for record in caplog.records] == [("journal ends in unreadable bytes", 19)]


def test_streams_whose_names_begin_alike_are_kept_apart(tmp_path):
    left_behind(tmp_path, [(1000, b"of a")], stream="a")
    left_behind(tmp_path, [(1000, b"of a.b")], stream="a.b")

    assert list(StreamJournal(tmp_path, "a").recovered()) == [Kept(1, 1000, b"of a")]


def test_settings_are_saved_and_a_deleted_stream_leaves_nothing(tmp_path):
    journal = StreamJournal(tmp_path, "changes")
    journal.save({"version": 1})
    journal.save({"version": 2})
    journal.append([(1000, b"one")])

    saved = saved_streams(tmp_path)
    journal.delete()

    assert (saved, names_in(tmp_path)) == ({"changes": {"version": 2}}, [])


def test_a_disk_that_is_full_refuses_an_append_and_leaves_no_torn_record_before_the_next(tmp_path, a_journal):
    journal = a_journal()
    (tmp_path / "changes.000000000001.journal").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        journal.append([(1000, b"one")])

    segment = journal.append([(2000, b"two")])

    assert (segment, names_in(tmp_path)) == (2, ["changes.000000000002.journal"])


def test_a_late_delivery_of_a_deleted_stream_leaves_the_new_stream_of_its_name_alone(tmp_path, a_journal):
    deleted = a_journal()
    segment = deleted.append([(1000, b"old")])
    deleted.delete()
    fresh = a_journal()
    fresh.append([(2000, b"new")])

    deleted.finished(segment)

    assert names_in(tmp_path) == ["changes.000000000001.journal"]
