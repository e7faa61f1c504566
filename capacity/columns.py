"""What a column of a result table is, and how a row type declares its own."""

import dataclasses
import types
import typing
from typing import Any, Literal, NamedTuple

Kind = Literal["", "exact", "upper bound", "lower bound", "estimate", "measured"]


class Column(NamedTuple):
    """What a reader of a table needs to know of one column."""

    name: str
    type: type
    nullable: bool
    unit: str
    symbol: str
    kind: Kind
    doc: str


def column(unit: str, symbol: str, doc: str, kind: Kind = "") -> Any:
    """A column of a row: its unit, LaTeX symbol, meaning and, for a quantity, the kind of figure.

    `kind` is "exact", "upper bound", "lower bound", "estimate" or "measured"; identifiers and
    settings have none.
    """
    return dataclasses.field(metadata={"unit": unit, "symbol": symbol, "doc": doc, "kind": kind})


def columns(row: type) -> dict[str, Column]:
    """The columns of a row type, by name, in table order."""
    hints = typing.get_type_hints(row)
    return {field.name: _read(field, hints[field.name]) for field in dataclasses.fields(row)}


def _read(field: dataclasses.Field, hint: Any) -> Column:
    nullable = isinstance(hint, types.UnionType)
    kind_of = next(t for t in typing.get_args(hint) if t is not type(None)) if nullable else hint
    return Column(field.name, kind_of, nullable, **field.metadata)
