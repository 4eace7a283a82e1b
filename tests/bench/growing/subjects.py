"""The curves, what each may grow by, and the words for them, in which *facts* of a run have their places."""

from typing import Final, NamedTuple

from growing.loads import DELETE_EVERY, OBJECT_MIB


class Subject(NamedTuple):
    """
    One curve: its *name* in the file, its *title*, and what it may grow by.

    That is an exponent, and how many times the least cost the cost at the last point may be, None for no more than the
    exponent allows. A curve that is there to be compared with has no exponent.
    """

    name: str
    title: str
    most_slope: float | None
    most_rise: float | None = None
    bound: str = ""


class Group(NamedTuple):
    """Curves over the same sizes, which share a plot and a table; the slopes are those from *fitted_from* on."""

    name: str
    title: str
    size: str
    words: str
    subjects: tuple[Subject, ...]
    fitted_from: float = 0


_TREE: Final = (
    "Each key is looked up in a tree, whose depth grows with the logarithm of the rows; and the more there are, the "
    "fewer keys of an object share a page, until each has one to itself. A straight `LOAD DATA` of new keys, which "
    "guards nothing, has a slope of {straight} against the items in the table."
)
_BUSY: Final = "Loaders at once wait for each other's latches, and share two cores and their caches with the server."
_FIXED: Final = (
    "By design no work for a change depends on it. What may: rows are sorted by their keys, in parts that are merged "
    "where an object has many, and what is large leaves less in the caches of the processor."
)
_EVENT: Final = (
    "By design no work for a record depends on the others. The objects of a large event, which the runtime makes "
    "before the function is called, are more than the caches of the processor hold. It is not the garbage collector: "
    "without it an event of 5,000 records takes as long."
)
GROUPS: Final = (
    Group(
        "items",
        "items in the table",
        "items",
        (
            f"Objects of {OBJECT_MIB} MiB. *Existing*: changes of items that the table has, taken at random, each "
            "once, or as often as all others where it has fewer than the object has changes. *New*: keys at random "
            "places of the index that it has not; tables of up to 100,000 items are filled anew before each load. What "
            "is expected is the logarithm of a tree, and of the pages that keys share, which in the range measured is "
            "at most a power of 0.1. Beside it `LOAD DATA` of such objects of new keys straight into the same tables, "
            "which guards nothing. A table that outgrows the buffer pool adds reads: the largest has "
            "{gibibytes:.1f} GiB, and the loads into it read {pages} pages a change (existing keys, new keys, "
            "straight; each at its median) that were not in memory."
        ),
        (
            Subject("items-existing", "existing keys", 0.1, None, _TREE),
            Subject("items-new", "new keys", 0.1, None, _TREE),
            Subject("items-straight", "new keys, straight", None),
        ),
    ),
    Group(
        "object",
        "size of the object",
        "MiB",
        (
            "New keys into a table that is emptied before each load, and changes of items of a table of a million. "
            "What is expected is that the fixed cost of a load is spread over more changes and nothing else changes; "
            "the slope is that from 1 MiB on."
        ),
        (
            Subject("object-new", "new keys, empty table", 0.05, 1.25, _FIXED),
            Subject("object-existing", "existing keys, a million rows", 0.05, 1.25, _FIXED),
        ),
        fitted_from=1,
    ),
    Group(
        "loaders",
        "loaders at once",
        "loaders",
        (
            f"Each loads an object of {OBJECT_MIB} MiB over a connection of its own, all into one table of a million "
            "items, of which no two objects hold the same. What is expected is that the CPU time of a change stays, "
            "while the changes a second of all grow until the cores are busy. Loads that had to be tried again: "
            "{retries}."
        ),
        (Subject("loaders", "existing keys", 0.1, 1.25, _BUSY),),
    ),
    Group(
        "tombstones",
        "tombstones",
        "tombstones",
        (
            f"Objects of {OBJECT_MIB} MiB of changes of all items of a table that is filled anew before each load. The "
            "tombstones are those of other items. *Older*: than all changes of the object, which is then spared the "
            "look at them. *A newer one*: there is one more, as new as the object, so that each key is looked for. *A "
            f"fifth deletes*: one change in {DELETE_EVERY} is a delete, which leaves a tombstone and looks for each "
            "key; these are forgotten before the next load. What is expected is no growth where the look is spared, "
            "and else the logarithm of a tree. None is drawn, and fitted, as 1."
        ),
        (
            Subject("tombstones-older", "older", 0.02, 1.25, _FIXED),
            Subject("tombstones-newer", "a newer one", 0.05, None, _TREE),
            Subject("tombstones-deletes", "a fifth deletes", 0.05, None, _TREE),
        ),
    ),
    Group(
        "records",
        "records in an event",
        "records",
        (
            "The functions before the loader, from dict to dict, with events of the seed's shape. What is expected is "
            "that the fixed cost of a call is spread over more records and nothing else changes; the slope is that "
            "from 50 records on."
        ),
        (
            Subject("transformer", "transformer", 0.05, 1.25, _EVENT),
            Subject("stream_processor", "stream-processor", 0.05, 1.25, _EVENT),
        ),
        fitted_from=50,
    ),
)
