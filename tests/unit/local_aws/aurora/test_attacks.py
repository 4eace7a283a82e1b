import pytest

from local_aws.aurora.attacks import Blow, Scene
from local_aws.aurora.errors import AuroraError
from local_aws.faults import Faults

ENTRY = "INSERT INTO `Demo`.`_ddb2aurora_loads` (object_id, load_id) VALUES (X'x\\'', X'1')"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def a_scene(*certain, clock=None):
    faults = Faults(rates=dict.fromkeys(certain, 1.0))
    return Scene(faults, clock=clock or Clock()), faults


def met(scene, sql, session=1):
    """Return what happens to *sql*: a blow, an error number, or nothing."""
    try:
        return scene.meet(session, sql)
    except AuroraError as error:
        return error.number


@pytest.mark.parametrize(
    ("fault", "sql", "expected"),
    [
        ("database.drop_connection", "SELECT 1", Blow.BREAK),
        ("database.lose_commit", "COMMIT", Blow.BREAK),
        ("database.lose_commit", "ROLLBACK", None),
        ("database.lose_commit_answer", "COMMIT", Blow.SWALLOW_ANSWER),
        ("database.lock_timeout", "UPDATE t SET a = 1", 1205),
        ("database.lock_timeout", "SELECT 1", None),
        ("database.lock_timeout", "COMMIT", None),
        ("database.slow", ENTRY, Blow.SLOW),
        ("database.read_only", ENTRY, 1290),
        ("database.read_only", "UPDATE t SET a = 1", None),
    ],
)
def test_a_fault_strikes_the_statements_that_it_is_about(fault, sql, expected):
    scene, faults = a_scene(fault)

    assert met(scene, sql) == expected
    assert faults.counts == ({fault: 1} if expected else {})


def test_a_server_that_is_read_only_refuses_every_write_for_a_moment():
    clock = Clock()
    scene, faults = a_scene("database.read_only", clock=clock)
    met(scene, ENTRY)

    clock.now = 0.3
    during = [met(scene, sql, session=2) for sql in ("UPDATE t SET a = 1", "COMMIT", "SELECT 1", "ROLLBACK")]
    clock.now = 0.5
    later = met(scene, "UPDATE t SET a = 1")

    assert during == [1290, 1290, None, None]
    assert later is None
    assert faults.counts == {"database.read_only": 1}


@pytest.mark.parametrize("introducer", ["X", "_binary", ""])
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK", None])
def test_two_loaders_meet_only_while_both_are_at_the_same_object(end, introducer):
    scene, faults = a_scene()
    entry = ENTRY.replace("X'x", f"{introducer}'x")
    met(scene, entry, session=1)
    met(scene, entry.replace("x", "y"), session=2)
    met(scene, "ROLLBACK TO SAVEPOINT entry", session=1)
    met(scene, entry.replace("'1'", "'2'"), session=3)
    counted = dict(faults.counts)

    for session in (1, 3):
        scene.leave(session) if end is None else met(scene, end, session=session)
    met(scene, entry, session=4)

    assert counted == dict(faults.counts) == {"loader.same_object": 1}


def test_a_loader_is_held_longer_when_two_have_met_too_rarely():
    faults = Faults(rates={"loader.same_object": 0}, pace=lambda: 1)
    scene = Scene(faults, clock=Clock())

    first, second, third = (met(scene, ENTRY, session=session) for session in (1, 2, 3))

    assert (first, second, third) == (Blow.SLOW, None, None)
    assert faults.counts == {"database.slow": 1, "loader.same_object": 2}
