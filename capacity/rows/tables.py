"""Every table of results, and the reference of all their columns."""

import inspect

from capacity.rows.candidates import CandidateRow
from capacity.rows.capacities import CapacityRow, MemorisedRow
from capacity.rows.columns import columns
from capacity.rows.ledger import LedgerRow
from capacity.rows.networks import CodecRow, CurveRow, LayerRow, NetworkRow
from capacity.rows.saturation import SaturationRow

Row = (
    NetworkRow
    | LayerRow
    | CurveRow
    | SaturationRow
    | CodecRow
    | LedgerRow
    | MemorisedRow
    | CapacityRow
    | CandidateRow
)
TABLES: dict[str, type] = {
    "networks": NetworkRow,
    "layers": LayerRow,
    "curves": CurveRow,
    "saturation": SaturationRow,
    "codecs": CodecRow,
    "ledger": LedgerRow,
    "memorised": MemorisedRow,
    "capacities": CapacityRow,
    "candidates": CandidateRow,
}
"""Every table; an experiment has those of which it has rows."""


def reference() -> str:
    """The column reference: a Markdown table for each table of results."""
    parts = [
        "# Columns of the result tables\n\nGenerated from `capacity/rows` by `make columns`.\n"
    ]
    for table, row in TABLES.items():
        parts.append(f"\n## {table}\n\n{inspect.getdoc(row)}\n")
        parts.append("| column | type | unit | kind | meaning | source |")
        parts.append("| --- | --- | --- | --- | --- | --- |")
        for c in columns(row).values():
            kind_of = c.type.__name__ + (" or empty" if c.nullable else "")
            cells = (f"`{c.name}`", kind_of, c.unit, c.kind, c.doc, c.source)
            parts.append(f"| {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"
