"""What a column of a result table is, and how a row type declares its own."""

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
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
    source: str


def column(unit: str, symbol: str, doc: str, kind: Kind = "", source: str = "") -> Any:
    """A column of a row: its unit, LaTeX symbol, meaning and, for a quantity, the kind of figure.

    `kind` is "exact", "upper bound", "lower bound", "estimate" or "measured"; identifiers and
    settings have none. `source` is the publication that defines the quantity, where there is one.
    """
    metadata = {"unit": unit, "symbol": symbol, "doc": doc, "kind": kind, "source": source}
    return dataclasses.field(metadata=metadata)


@functools.cache
def columns(row: type) -> Mapping[str, Column]:
    """The columns of a row type, by name, in table order."""
    hints = typing.get_type_hints(row)
    found = {field.name: _read(field, hints[field.name]) for field in dataclasses.fields(row)}
    return types.MappingProxyType(found)


@dataclass(frozen=True, kw_only=True)
class Named:
    """What names a network in every table."""

    trial: str = column("", "", "readable identifier of the trial: architecture and data setting")
    seed: int = column("", "", "seed of the network: initialisation and order of the data")
    round: int = column("", "r", "pruning round; 0 is the dense network")
    control: str = column(
        "",
        "",
        "what was trained: ticket (the round's mask on the weights it restarts from), or a control "
        "besides, see pruning.controls",
    )


def _read(field: dataclasses.Field, hint: Any) -> Column:
    nullable = isinstance(hint, types.UnionType)
    kind_of = next(t for t in typing.get_args(hint) if t is not type(None)) if nullable else hint
    return Column(field.name, kind_of, nullable, **field.metadata)
