"""What a row's earlier symbols say of the next one, by correlations learnt from earlier rows.

The columns of a matrix are correlated: neighbouring pixels carry similar weights, and so do the
channels behind one another. Sums of products are kept over the rows so far; for each column, the
earlier columns that explain most of it are its partners, and their coefficients solve the ridge
regression of the column on them. All on integers; coefficients are in 2^-14.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

PEAK = 15  # symbols are cut to this magnitude, and 2^18 rows of them sum up within 32 bits
SWEEPS = 8


class Sums(NamedTuple):
    """Products of each column with itself and some before it, summed over the rows so far.

    Attributes:
      products: int32, of column c with column c - k at starts[c] + k.
      starts: int64 [columns + 1].
    """

    products: np.ndarray
    starts: np.ndarray


def new_sums(columns: int, window: int) -> Sums:
    """Of no row; of columns less than a `window` apart."""
    starts = np.zeros(columns + 1, np.int64)
    np.cumsum(np.minimum(np.arange(columns) + 1, window), out=starts[1:])
    return Sums(np.zeros(starts[-1], np.int32), starts)


@njit(nogil=True, cache=True)
def partners(sums, column, most, chosen):
    """Puts the up to `most` best earlier columns into `chosen`; how many there are."""
    products, starts = sums
    start = starts[column]
    if products[start] == 0:
        return 0
    merit = np.zeros(most, np.int64)
    found = 0
    for lag in range(starts[column + 1] - start - 1, 0, -1):
        own = np.int64(products[starts[column - lag]])
        if own == 0:
            continue
        common = np.int64(products[start + lag])
        explained = common * common * 256 // (own + 1)
        if found < most:
            place = found
            found += 1
        elif explained > merit[most - 1]:
            place = most - 1
        else:
            continue
        while place > 0 and merit[place - 1] < explained:
            merit[place], chosen[place] = merit[place - 1], chosen[place - 1]
            place -= 1
        merit[place], chosen[place] = explained, column - lag
    return found


@njit(nogil=True, cache=True)
def coefficients(sums, column, chosen, count, ridge, result):
    """Puts the ridge regression of a column on its partners into `result`, in 2^-14.

    Gauss-Seidel from zero, which converges for every positive definite matrix.
    """
    products, starts = sums
    matrix = np.empty((count, count), np.int64)
    for a in range(count):
        for b in range(count):
            high, low = max(chosen[a], chosen[b]), min(chosen[a], chosen[b])
            matrix[a, b] = products[starts[high] + high - low]
        matrix[a, a] += ridge
        result[a] = 0
    for _ in range(SWEEPS):
        for a in range(count):
            rest = np.int64(products[starts[column] + column - chosen[a]]) << 14
            for b in range(count):
                rest -= matrix[a, b] * result[b]
            result[a] += rest // matrix[a, a]


@njit(nogil=True, cache=True)
def add_row(sums, row):
    """Adds the products of a row's symbols, each with those before it."""
    products, starts = sums
    for column in range(len(row)):
        symbol = np.int32(row[column])
        if symbol != 0:
            line = products[starts[column] : starts[column + 1]]
            for k in range(len(line)):
                line[k] += symbol * row[column - k]
