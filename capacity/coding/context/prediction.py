"""Predictions of a symbol, from the symbols of its row in correlated columns and the reverse."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from capacity.coding.context.correlation import (
    PEAK,
    Sums,
    add_row,
    coefficients,
    new_sums,
    partners,
)
from capacity.coding.context.logistic import LEVEL
from capacity.coding.context.pointer import pointer

_WINDOW = 1024  # earlier columns or rows that may be partners
_REFRESH = 32  # symbols of a row between two looks at its partners
_COLUMN_RIDGE, _ROW_RIDGE = 12, 8


class Correlations(NamedTuple):
    """Partners and coefficients, of columns and of the row at hand.

    Attributes:
      columns: over the rows so far.
      column_partners, column_weights: [columns, most], and how many there are in column_found.
      refreshed: [1] the row at which they are to be found anew.
      rows: over the columns so far.
      row_partners, row_weights: [most].
      turned: [columns, rows] symbols cut to PEAK.
      spread: [columns] mean magnitude of what the prediction misses, in 2^-8.
      most: partners that a column or a row has at most.
      height: rows of the matrix.
    """

    columns: Sums
    column_partners: Any
    column_weights: Any
    column_found: Any
    refreshed: Any
    rows: Sums
    row_partners: Any
    row_weights: Any
    turned: Any
    spread: Any
    most: int
    height: int


def new_correlations(shape: tuple[int, int], most: int) -> Correlations:
    """Of a matrix of which no row is known; with up to `most` partners."""
    rows, columns = shape
    return Correlations(
        columns=new_sums(columns, min(max(rows, 512), _WINDOW)),
        column_partners=np.zeros((columns, most), np.int32),
        column_weights=np.zeros((columns, most), np.int64),
        column_found=np.zeros(columns, np.int32),
        refreshed=np.full(1, 4, np.int64),
        rows=new_sums(rows, min(max(columns, 512), _WINDOW)),
        row_partners=np.zeros(most, np.int32),
        row_weights=np.zeros(most, np.int64),
        turned=np.zeros((columns, rows), np.int8),
        spread=np.full(columns, 128, np.int64),
        most=most,
        height=rows,
    )


@njit(nogil=True, cache=True)
def begin_row(i, found):
    """Finds the partners of all columns anew, now and then."""
    if i < found.refreshed[0]:
        return
    found.refreshed[0] = i + i // 10 + 1
    for j in range(len(found.column_found)):
        chosen, weights = found.column_partners[j], found.column_weights[j]
        count = partners(found.columns, j, found.most, chosen)
        found.column_found[j] = count
        if count > 0:
            coefficients(found.columns, j, chosen, count, _COLUMN_RIDGE, weights)


@njit(nogil=True, cache=True)
def end_row(row, found):
    """Learns what the symbols of a row say of its columns."""
    add_row(found.columns, row)


@njit(nogil=True, cache=True)
def find_row_partners(i, j, related, known):
    """How many partners row i has, found anew now and then; so far `related`."""
    if j % _REFRESH == 0 and j > 0 and i > 0:
        chosen, weights = known.row_partners, known.row_weights
        related = partners(known.rows, i, known.most, chosen)
        if related > 0:
            coefficients(known.rows, i, chosen, related, _ROW_RIDGE, weights)
    return related


@njit(nogil=True, cache=True, forceinline=True)
def predict(j, line, related, known, table):
    """What columns and rows predict, in 2^-8, and a class of how often columns miss."""
    most = known.most
    by_columns, by_rows = np.int64(0), np.int64(0)
    for k in range(known.column_found[j]):
        by_columns += known.column_weights[j * most + k] * line[known.column_partners[j * most + k]]
    for k in range(related):
        by_rows += known.row_weights[k] * known.turned[j * known.height + known.row_partners[k]]
    missed = min(table[LEVEL + min(known.spread[j], 4095)] // 4, 11)
    return by_columns >> 6, by_rows >> 6, missed


@njit(nogil=True, cache=True, forceinline=True)
def learn(i, j, symbol, predicted, reciprocal, known):
    """Adds the products of a symbol with those above it, and what its prediction missed."""
    small = min(max(symbol, -PEAK), PEAK)
    if small != 0:
        above = j * known.height
        known.turned[above + i] = small
        start = known.rows.starts[i]
        for k in range(known.rows.starts[i + 1] - start):
            known.rows.products[start + k] += np.int32(small) * known.turned[above + i - k]
    error = abs((small << 8) - predicted[0]) - known.spread[j]
    known.spread[j] += error * reciprocal[min(i, 40) + 2] >> 32


@njit(nogil=True, cache=True)
def pointers(found):
    """The same as pointers."""
    return Correlations(
        Sums(pointer(found.columns.products), pointer(found.columns.starts)),
        pointer(found.column_partners),
        pointer(found.column_weights),
        pointer(found.column_found),
        pointer(found.refreshed),
        Sums(pointer(found.rows.products), pointer(found.rows.starts)),
        pointer(found.row_partners),
        pointer(found.row_weights),
        pointer(found.turned),
        pointer(found.spread),
        found.most,
        found.height,
    )
