from local_aws.event_source.shards import Shard, list_shards, startable

PARENT = Shard("parent", None, closed=True)
LEFT = Shard("left", "parent", closed=False)
RIGHT = Shard("right", "parent", closed=False)


def test_a_child_waits_until_its_parent_is_worked_through():
    shards = (LEFT, RIGHT, PARENT)

    assert startable(shards, started=(), finished=()) == (PARENT,)
    assert startable(shards, started={"parent"}, finished=()) == ()
    assert startable(shards, started={"parent"}, finished={"parent"}) == (LEFT, RIGHT)
    assert startable(shards, started={"parent", "left"}, finished={"parent"}) == (RIGHT,)


def test_a_parent_that_was_trimmed_is_not_waited_for():
    assert startable((LEFT,), started=(), finished=()) == (LEFT,)


class PagedStreams:
    def describe_stream(self, **arguments):
        pages = {
            None: {"Shards": [{"ShardId": "a", "SequenceNumberRange": {"EndingSequenceNumber": "9"}}]},
            "a": {"Shards": [{"ShardId": "b", "ParentShardId": "a", "SequenceNumberRange": {}}]},
        }
        after = arguments.get("ExclusiveStartShardId")
        return {"StreamDescription": {**pages[after], **({"LastEvaluatedShardId": "a"} if after is None else {})}}


def test_shards_are_listed_over_all_pages():
    shards = list_shards(PagedStreams(), stream_arn="arn")

    assert shards == (Shard("a", None, closed=True), Shard("b", "a", closed=False))
