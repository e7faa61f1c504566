"""What coding a matrix learns: its statistics, its correlations, and the mixer's memory."""

from typing import Any, NamedTuple

import numpy as np

from capacity.coding.context.mixing import CONTEXTS, NARROW, Mixer, new_mixer
from capacity.coding.context.prediction import Correlations, new_correlations

ROW_PRIOR = 6  # symbols that the expected density of a row is worth


class Field(NamedTuple):
    """Symbols and statistics of a matrix of [rows, columns], of which some rows are known.

    Attributes:
      grid: [1 + rows, margin + columns] symbols cut to PEAK, with zeros around them.
      column_count, column_mass: [columns] symbols that are not zero, and their magnitudes' sum.
      row_count, row_mass: [rows] the same.
      total: [3] the same over all, and symbols so far.
      column_odds, column_level: [columns] of the density and mean magnitude expected in this row.
      reciprocal: [columns + ROW_PRIOR] 2^32 / n.
    """

    grid: Any
    column_count: Any
    column_mass: Any
    row_count: Any
    row_mass: Any
    total: Any
    column_odds: Any
    column_level: Any
    reciprocal: Any


class Model(NamedTuple):
    """All that coding a matrix learns; without correlations, it predicts nothing."""

    field: Field
    correlations: Correlations | None
    mixer: Mixer


def new_model(shape: tuple[int, int], stride: int, most: int) -> Model:
    """A model that knows no row yet of a matrix; `most` partners of a column or row, 0 for none."""
    rows, columns = shape
    field = Field(
        grid=np.zeros((1 + rows, stride + 1 + columns), np.int8),
        column_count=np.zeros(columns, np.int64),
        column_mass=np.zeros(columns, np.int64),
        row_count=np.zeros(rows, np.int64),
        row_mass=np.zeros(rows, np.int64),
        total=np.zeros(3, np.int64),
        column_odds=np.zeros(columns, np.int32),
        column_level=np.zeros(columns, np.int32),
        reciprocal=(1 << 32) // np.maximum(np.arange(max(columns + ROW_PRIOR, 64)), 1),
    )
    correlations = new_correlations(shape, most) if most else None
    return Model(field, correlations, new_mixer(CONTEXTS if most else NARROW))
