from local_aws.event_source.checkpoints import Checkpoints


def test_checkpoints_in_a_file_are_there_after_a_restart(tmp_path):
    path = tmp_path / "state" / "checkpoints.json"
    first = Checkpoints(stream_arn="arn", path=path)
    first.moved("a", "000000000000000000017")
    first.moved("b", "5")
    first.finish("b")

    second = Checkpoints(stream_arn="arn", path=path)

    assert (dict(second.sequences), second.finished) == ({"a": "000000000000000000017"}, {"b"})
    assert [entry.name for entry in path.parent.iterdir()] == ["checkpoints.json"]


def test_checkpoints_of_another_stream_are_not_used(tmp_path):
    path = tmp_path / "checkpoints.json"
    Checkpoints(stream_arn="old", path=path).moved("a", "17")

    assert Checkpoints(stream_arn="new", path=path).empty


def test_without_a_file_checkpoints_are_kept_in_memory():
    checkpoints = Checkpoints(stream_arn="arn")
    checkpoints.moved("a", "17")

    assert dict(checkpoints.sequences) == {"a": "17"}
