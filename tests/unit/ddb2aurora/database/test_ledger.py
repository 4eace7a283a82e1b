"""What makes an object the same object."""

from ddb2aurora.database.ledger import ObjectRef, make_object_ref


def test_the_same_content_under_the_same_name_is_the_same_object_wherever_it_was_read():
    from_event = make_object_ref("b", "k", version=None, etag="e", size=1, region="eu-west-1")
    from_listing = make_object_ref("b", "k", version="null", etag='"e"')

    assert from_listing == ObjectRef("b", "k", etag="e")
    assert from_event.object_id == from_listing.object_id
    assert len(from_event.object_id) == 32


def test_parts_that_join_to_the_same_text_are_different_objects():
    objects = [
        ObjectRef("b", "k", etag="e"),
        ObjectRef("b", "k", version="e"),
        ObjectRef("bk", "", etag="e"),
        ObjectRef("b", "k", etag="e2"),
        ObjectRef("b", "ke"),
        ObjectRef("b", 'k","etag","e'),
    ]

    assert len({found.object_id for found in objects}) == len(objects)
