"""
Names of columns out of the names of attributes: names that nobody has to quote, and that MySQL tells apart.

MySQL folds case and accents in the names of columns (`é` is `e` to it), allows 64 characters and no blank at the end,
and reads its reserved words as words. So a name here is small ASCII letters, digits and `_`.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Final

MOST_CHARACTERS: Final = 64  # MySQL: the longest name of a column

# Reserved in MySQL 8.4, MySQL 8.0 or MariaDB 10.11.
_WORDS: Final = """
accessible add all alter analyze and as asc asensitive before between bigint binary blob both by call cascade case
change char character check collate column condition constraint continue convert create cross cube cume_dist
current_date current_role current_time current_timestamp current_user cursor database databases day_hour
day_microsecond day_minute day_second dec decimal declare default delayed delete delete_domain_id dense_rank desc
describe deterministic distinct distinctrow div do_domain_ids double drop dual each else elseif empty enclosed
escaped except exists exit explain false fetch first_value float float4 float8 for force foreign from fulltext
function general generated get grant group grouping groups having high_priority hour_microsecond hour_minute
hour_second if ignore ignore_domain_ids ignore_server_ids in index infile inner inout insensitive insert int int1
int2 int3 int4 int8 integer intersect interval into io_after_gtids io_before_gtids is iterate join json_table key
keys kill lag last_value lateral lead leading leave left like limit linear lines load localtime localtimestamp
lock long longblob longtext loop low_priority manual master_bind master_heartbeat_period
master_ssl_verify_server_cert match maxvalue mediumblob mediumint mediumtext middleint minute_microsecond
minute_second mod modifies natural no_write_to_binlog not nth_value ntile null numeric of offset on optimize
optimizer_costs option optionally or order out outer outfile over page_checksum parallel parse_vcol_expr partition
percent_rank precision primary procedure purge qualify range rank read read_write reads real recursive
ref_system_id references regexp release rename repeat replace require resignal restrict return returning revoke
right rlike row row_number rows schema schemas second_microsecond select sensitive separator set show signal slow
smallint spatial specific sql sql_big_result sql_calc_found_rows sql_small_result sqlexception sqlstate sqlwarning
ssl starting stats_auto_recalc stats_persistent stats_sample_pages stored straight_join system table tablesample
terminated then tinyblob tinyint tinytext to trailing trigger true undo union unique unlock unsigned update usage
use using utc_date utc_time utc_timestamp values varbinary varchar varcharacter varying virtual when where while
window with write xor year_month zerofill
"""
RESERVED_WORDS: Final = frozenset(_WORDS.split())

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER: Final = re.compile(r"[^a-z0-9]+")


def snake_case(steps: Iterable[str]) -> str:
    """Return *steps* of a path as one name in small ASCII letters, digits and `_`; "" when nothing is left of them."""
    words = "_".join(_HUMP.sub("_", _without_accents(step)) for step in steps)
    return _OTHER.sub("_", words.lower()).strip("_")


def column_name(steps: Iterable[str], *, taken: Collection[str]) -> str:
    """Return a name for the column of the value at the path *steps*, another than those that are *taken*."""
    plain = snake_case(steps) or "column"
    if plain in RESERVED_WORDS or plain[0].isdigit():
        plain = f"{plain}_" if plain in RESERVED_WORDS else f"c{plain}"
    name = plain[:MOST_CHARACTERS]
    number = 2
    while name in taken:
        tail = f"_{number}"
        name = plain.rstrip("_")[: MOST_CHARACTERS - len(tail)] + tail
        number += 1
    return name


def troubles_of(names: Iterable[str]) -> list[str]:
    """Return what MySQL would make of the attributes *names* if they were columns, one text for each trouble."""
    seen: dict[str, str] = {}
    found: list[str] = []
    for name in sorted(names):
        folded = _without_accents(name).lower().rstrip()
        if folded in seen:
            found.append(f"{_shown(name)} and {_shown(seen[folded])} are one name to MySQL")
        seen.setdefault(folded, name)
        if name.lower() in RESERVED_WORDS:
            found.append(f"{_shown(name)} is a reserved word of MySQL")
        if name != name.rstrip():
            found.append(f"{_shown(name)} ends in a blank, which no column may")
        if len(name) > MOST_CHARACTERS:
            found.append(f"{_shown(name[:MOST_CHARACTERS])}… is longer than MySQL's {MOST_CHARACTERS} characters")
        if folded.startswith("_ddb2aurora") or folded in _OURS:
            found.append(f"{_shown(name)} is a name that ddb2aurora keeps for itself")
    return found


_OURS: Final = frozenset({"_shape", "_op", "_line", "_version", "_changed_at_ms", "_deleted_at"})


def _without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def _shown(name: str) -> str:
    return repr(name)
