"""What coding a matrix learns: its statistics, its correlations, and the mixer's memory."""

from typing import Any, NamedTuple

import numpy as np

from capacity.coding.context.mixing import Mixer, new_mixer

ROW_PRIOR = 6  # symbols that the expected density of a row is worth
_WINDOW = 1024  # earlier columns or rows that may be partners


class Field(NamedTuple):
    """Symbols and statistics of a matrix of [rows, columns], of which some rows are known.

    Attributes:
      grid: [1 + rows, margin + columns] symbols cut to PEAK, with zeros around them.
      turned: [columns, rows] the same, for the correlated model.
      column_count, column_mass: [columns] symbols that are not zero, and their magnitudes' sum.
      row_count, row_mass: [rows] the same.
      total: [3] the same over all, and symbols so far.
      column_odds, column_level: [columns] of the density and mean magnitude expected in this row.
      spread: [columns] mean magnitude of what the prediction misses, in 2^-8.
      reciprocal: [columns + ROW_PRIOR] 2^32 / n.
    """

    grid: Any
    turned: Any
    column_count: Any
    column_mass: Any
    row_count: Any
    row_mass: Any
    total: Any
    column_odds: Any
    column_level: Any
    spread: Any
    reciprocal: Any


class Correlations(NamedTuple):
    """Partners and coefficients, of columns and of the row at hand; empty if not wanted.

    Attributes:
      columns: [columns, window] sums of products over the rows so far.
      column_partners, column_weights: [columns, most], and how many there are in column_found.
      refreshed: [1] the row at which they are to be found anew.
      rows: [rows, window] sums of products over the columns so far.
      row_partners, row_weights: [most].
    """

    columns: Any
    column_partners: Any
    column_weights: Any
    column_found: Any
    refreshed: Any
    rows: Any
    row_partners: Any
    row_weights: Any


class Model(NamedTuple):
    """All that coding a matrix learns."""

    field: Field
    correlations: Correlations
    mixer: Mixer


def new_model(shape: tuple[int, ...], stride: int, most: int) -> Model:
    """A model that knows no row yet of a matrix; `most` partners of a column or row, 0 for none."""
    rows, columns = shape
    wide = (columns, rows) if most else (1, 1)
    windows = [min(a, max(b, 512), _WINDOW) for a, b in (wide, wide[::-1])]
    field = Field(
        grid=np.zeros((1 + rows, stride + 1 + columns), np.int16),
        turned=np.zeros(wide, np.int16),
        column_count=np.zeros(columns, np.int64),
        column_mass=np.zeros(columns, np.int64),
        row_count=np.zeros(rows, np.int64),
        row_mass=np.zeros(rows, np.int64),
        total=np.zeros(3, np.int64),
        column_odds=np.zeros(columns, np.int32),
        column_level=np.zeros(columns, np.int32),
        spread=np.full(columns, 128, np.int64),
        reciprocal=(1 << 32) // np.maximum(np.arange(max(columns + ROW_PRIOR, 64)), 1),
    )
    correlations = Correlations(
        columns=np.zeros((wide[0], windows[0]), np.int32),
        column_partners=np.zeros((wide[0], max(most, 1)), np.int32),
        column_weights=np.zeros((wide[0], max(most, 1)), np.int64),
        column_found=np.zeros(columns, np.int32),
        refreshed=np.full(1, 4, np.int64),
        rows=np.zeros((wide[1], windows[1]), np.int32),
        row_partners=np.zeros(max(most, 1), np.int32),
        row_weights=np.zeros(max(most, 1), np.int64),
    )
    return Model(field, correlations, new_mixer())
