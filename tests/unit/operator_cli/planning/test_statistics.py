"""What is seen is counted, and nothing of it is kept but a few items."""

import pytest
from builders import dynamodb_json
from hypothesis import given
from hypothesis import strategies as st

from operator_cli.planning.entities import Entities, describe, token_of
from operator_cli.planning.places import Room
from operator_cli.planning.profile import Profile, Reservoir
from operator_cli.planning.showing import places_of, shown_path
from operator_cli.planning.sizes import Sizes


def a_profile(*items, key=None, room=None):
    profile = Profile("things", key or {"id": "S"}, room=room)
    profile.add([dynamodb_json(item) for item in items])
    return profile


def kinds_of(profile):
    return {shown_path(path): dict(place.kinds) for path, place in places_of(profile)}


def test_every_place_is_counted_inside_maps_lists_sets_and_documents():
    item = {"id": "a", "m": {"x": 1, "y": [None, {"z": b"b"}]}, "s": {"u", "v"}, "doc": '{"k": [true, "t"]}'}

    assert kinds_of(a_profile(item)) == {
        "id": {"S": 1},
        "doc": {"S": 1},
        "doc.k": {"L": 1},
        "doc.k[]": {"BOOL": 1, "S": 1},
        "m": {"M": 1},
        "m.x": {"N": 1},
        "m.y": {"L": 1},
        "m.y[]": {"NULL": 1, "M": 1},
        "m.y[].z": {"B": 1},
        "s": {"SS": 1},
        "s[]": {"S": 2},
    }


@pytest.mark.parametrize("text", ["[1]", "{", "{'a': 1}", '{"a": NaN}', "5", "", '{"a": "\\ud800"}'])
def test_a_string_that_is_no_json_object_is_no_document(text):
    assert a_profile({"id": "a", "doc": text}).root.children["doc"].document is None


def test_a_map_whose_keys_are_data_is_one_place():
    profile = a_profile(*({"id": "a", "by_user": {f"user-{number}": number}} for number in range(300)))

    place = profile.root.children["by_user"]
    assert (place.is_crowded, len(place.children)) == (True, 200)


def test_what_lies_deeper_than_asked_for_is_measured_as_a_whole():
    profile = a_profile({"id": "a", "m": {"x": {"y": {"z": 1}}}}, room=Room(depth=2))

    assert list(kinds_of(profile)) == ["id", "m", "m.x"]


def test_an_item_that_is_no_dynamodb_json_is_counted_apart():
    profile = Profile("things", {"id": "S"})
    profile.add([{"id": {"S": "a"}}, {"id": {"S": "b"}, "n": {"N": "one"}}])

    assert (profile.items, dict(profile.undecodable)) == (2, {"not the text of a number": 1})


@given(st.lists(st.integers(0, 10**7), min_size=1))
def test_a_percentile_is_never_less_than_what_was_seen_and_little_more(seen):
    sizes = Sizes()
    for size in seen:
        sizes.add(size)

    median = sorted(seen)[(len(seen) - 1) // 2]
    assert median <= sizes.percentile(0.5) <= max(median * 1.04, median + 1)
    assert sizes.percentile(1) == sizes.largest == max(seen)


@given(st.lists(st.integers(0, 40)), st.integers(1, 5), st.integers(0, 100))
def test_a_reservoir_keeps_what_it_has_room_for(sizes, most, room):
    reservoir = Reservoir(items=most, size=room)
    for number, size in enumerate(sizes):
        reservoir.offer({"id": number, "size": size}, size=size)

    kept = reservoir.items
    assert len(kept) <= most
    assert sum(item["size"] for item in kept) <= room
    assert len({item["id"] for item in kept}) == len(kept)


def test_a_reservoir_keeps_late_items_as_well_as_early_ones():
    reservoir = Reservoir(items=100)
    for number in range(10_000):
        reservoir.offer({"id": number}, size=1)

    kept = [item["id"] for item in reservoir.items]
    assert len(kept) == 100
    assert 3_000 < sum(kept) / 100 < 7_000


@pytest.mark.parametrize(
    ("text", "token"),
    [("USER#1", "USER#"), ("PROFILE", "PROFILE"), ("GB", "GB"), ("x", ""), ("a@b.c", ""), ("#1", ""), ("é#1", "")],
)
def test_a_token_is_the_beginning_of_a_key_or_a_word_in_capitals(text, token):
    assert token_of(text) == token


def an_app():
    return [
        {"pk": "USER#1", "sk": "PROFILE", "at": 1, "email": "x"},
        {"pk": "USER#1", "sk": "ORDER#1", "at": 1, "total": 1},
        {"pk": "USER#2", "sk": "ORDER#2", "at": 1, "total": 2, "note": "x"},
    ]


def some_entities(*items):
    entities = Entities(("pk", "sk"))
    for item in items:
        entities.add(item)
    return entities


def test_kinds_of_items_are_told_by_their_keys():
    entities = some_entities(*an_app())

    counts = {describe(tokens, entities.key): entity.count for tokens, entity in entities.found.items()}
    assert counts == {"pk USER#…, sk PROFILE": 1, "pk USER#…, sk ORDER#…": 2}
    assert (entities.are_several, entities.shared()) == (True, {"pk", "sk", "at"})


def test_items_with_the_same_attributes_are_of_one_kind_whatever_their_keys():
    entities = some_entities(*({"pk": f"{kind}#1", "sk": "x", "n": 1} for kind in ("EU", "US")))

    assert not entities.are_several


def test_a_key_with_too_many_beginnings_tells_nothing():
    items = [{"pk": f"P{number}#1", "sk": "META", f"a{number}": 1} for number in range(60)]

    entities = some_entities(*items)

    assert {describe(tokens, entities.key): entity.count for tokens, entity in entities.found.items()} == {
        "sk META": 60
    }


def test_sets_of_attributes_are_counted():
    counts = some_entities(*an_app(), an_app()[0]).shapes.values()

    assert sorted(counts, reverse=True)[:2] == [2, 1]
