"""What properties are tried on: every text, number, value, change and row that may travel."""

import string
from decimal import Decimal

from builders import dynamodb_json
from hypothesis import strategies as st

from ddb2aurora.dialect import Row
from ddb2aurora.envelope import Change

LAST_MS = 253_402_300_799_999

# Texts that have broken a CSV, a JSON or an SQL writer somewhere.
AWKWARD_TEXTS = (
    "",
    " ",
    " leading and trailing ",
    "\\N",
    "N",
    "NULL",
    "null",
    ",",
    '"',
    '""',
    "\\",
    '\\"',
    "'",
    "a,b",
    "line\nbreak",
    "carriage\rreturn",
    "\r\n",
    "\t",
    "\0",
    "\x1a",
    "\u2028\u2029\x85",
    "\ufeff",
    "😀👩‍👩‍👧",
    "%s {} ; -- `",
    "0",
    "-0",
    "1e5",
)

texts = st.one_of(st.sampled_from(AWKWARD_TEXTS), st.text(st.characters(exclude_categories=("Cs",))))


@st.composite
def numbers(draw) -> Decimal:
    """Draw a number that DynamoDB can hold, as `codec` gives it: normalised, up to 38 digits, 1E-130 to 9.99E+125."""
    digits = draw(st.text(string.digits, min_size=1, max_size=38)).strip("0")
    if not digits:
        return Decimal(0)
    adjusted = draw(st.integers(min_value=-130, max_value=125) | st.integers(min_value=-3, max_value=20))
    exponent = adjusted - len(digits) + 1
    return Decimal(f"{draw(st.sampled_from(['', '-']))}{digits}E{exponent}")


_sets = st.one_of(
    st.frozensets(texts, min_size=1, max_size=4),
    st.frozensets(numbers(), min_size=1, max_size=4),
    st.frozensets(st.binary(max_size=8), min_size=1, max_size=4),
)
scalars = st.one_of(texts, numbers(), st.binary(max_size=16), st.booleans(), st.none())
values = st.recursive(
    scalars | _sets,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
items = st.dictionaries(texts, values, max_size=5)

whole_numbers = st.integers(min_value=-(2**70), max_value=2**70)
json_numbers = whole_numbers | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
json_values = st.recursive(
    st.one_of(texts, json_numbers, st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)

_times = st.integers(min_value=0, max_value=LAST_MS)
_sequence_numbers = st.text(string.digits, min_size=1, max_size=40)


@st.composite
def changes(draw) -> Change:
    """Draw a change of any table."""
    event = draw(st.sampled_from(["INSERT", "MODIFY", "REMOVE"]))
    image = dynamodb_json(draw(items))
    return Change(
        event=event,
        event_id=draw(texts),
        table=draw(texts),
        keys=dynamodb_json(draw(items)),
        image=None if event == "REMOVE" else image,
        changed_at_ms=draw(st.none() | _times),
        sequence_number=draw(_sequence_numbers),
        stream_epoch_ms=draw(_times),
        by_ttl=draw(st.booleans()),
        trimmed=draw(st.booleans()),
    )


rows = st.builds(
    Row,
    shape=st.text(string.hexdigits, min_size=1, max_size=12),
    operation=st.sampled_from(["U", "D", "S"]),
    version=st.integers(min_value=0, max_value=10**65 - 1),
    changed_at_ms=st.none() | _times,
    fields=st.lists(st.none() | texts, max_size=6).map(tuple),
)
