"""`ddb2aurora backfill` by Scan, as a user runs it."""

_ITEMS = [{"id": f"thing {number:02}", "no": number, "name": f"name {number}"} for number in range(20)]
_ROWS = tuple((item["id"], item["no"], item["name"], 0) for item in _ITEMS)


def test_every_item_becomes_a_row_of_version_0(world):
    world.put(*_ITEMS)

    status, output = world.backfill()

    assert (status, output["complete"], output["items"], output["rows"]) == (0, True, 20, 20)
    assert world.target.rows("id, no, name, _version") == _ROWS
