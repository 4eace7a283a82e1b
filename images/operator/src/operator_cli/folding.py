"""Tables for people in which nothing is cut off: names and keys are there to be copied."""

from rich.table import Column, Table


def folding_table(*headers: str) -> Table:
    """Return a table with *headers*, whose columns break a word that is too long for them; rich would cut it off."""
    return Table(*(Column(header, overflow="fold") for header in headers))
