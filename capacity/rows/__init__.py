"""The result schema: every column's type, unit, symbol, kind and meaning, declared once.

Rows are named by (trial, seed, round, control), with the tensor or the step where there are more.
A row is a frozen dataclass without defaults, so a forgotten column is a `TypeError` that names it.
Frames, LaTeX headers, axis labels and the column reference are read from here.

columns: what a column is. networks: of networks, tensors, evaluations and files; weights, pruning:
what the weights hold and what pruning saves, in the first two. saturation, ledger, capacities,
candidates: rows of their own. tables: all.
"""

from capacity.rows.candidates import CandidateRow
from capacity.rows.capacities import CapacityRow, MemorisedRow
from capacity.rows.columns import Column, Kind, Named, column, columns
from capacity.rows.ledger import LedgerRow
from capacity.rows.networks import CodecRow, CurveRow, LayerRow, NetworkRow
from capacity.rows.pruning import PruningMeasures
from capacity.rows.saturation import LayerUse, SaturationRow
from capacity.rows.tables import TABLES, Row, reference
from capacity.rows.weights import Entropies, LayerMeasures, NetworkMeasures

__all__ = [
    "TABLES",
    "CandidateRow",
    "CapacityRow",
    "CodecRow",
    "Column",
    "CurveRow",
    "Entropies",
    "Kind",
    "LayerMeasures",
    "LayerRow",
    "LayerUse",
    "LedgerRow",
    "MemorisedRow",
    "Named",
    "NetworkMeasures",
    "NetworkRow",
    "PruningMeasures",
    "Row",
    "SaturationRow",
    "column",
    "columns",
    "reference",
]
