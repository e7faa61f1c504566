"""What a row's earlier symbols say of the next one, by correlations learnt from earlier rows.

The columns of a matrix are correlated: neighbouring pixels carry similar weights, and so do the
channels behind one another. Sums of products are kept over the rows so far; for each column, the
earlier columns that explain most of it are its partners, and their coefficients solve the ridge
regression of the column on them. All on integers; coefficients are in 2^-14.
"""

import numpy as np
from numba import njit

PEAK = 15  # symbols are cut to this magnitude, and 2^18 rows of them sum up within 32 bits
SWEEPS = 8


@njit(nogil=True, cache=True)
def partners(products, column, most, chosen):
    """Puts the up to `most` best earlier columns into `chosen`; how many there are.

    Args:
      products: [columns, window] products[c, k] is the sum of column c times column c - k.
    """
    if products[column, 0] == 0:
        return 0
    merit = np.zeros(most, np.int64)
    found = 0
    for other in range(max(0, column - products.shape[1] + 1), column):
        own = np.int64(products[other, 0])
        if own == 0:
            continue
        common = np.int64(products[column, column - other])
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
        merit[place], chosen[place] = explained, other
    return found


@njit(nogil=True, cache=True)
def coefficients(products, column, chosen, count, ridge, result):
    """Puts the ridge regression of a column on its partners into `result`, in 2^-14.

    Gauss-Seidel from zero, which converges for every positive definite matrix.
    """
    matrix = np.empty((count, count), np.int64)
    for a in range(count):
        for b in range(count):
            high, low = max(chosen[a], chosen[b]), min(chosen[a], chosen[b])
            matrix[a, b] = products[high, high - low]
        matrix[a, a] += ridge
        result[a] = 0
    for _ in range(SWEEPS):
        for a in range(count):
            rest = np.int64(products[column, column - chosen[a]]) << 14
            for b in range(count):
                rest -= matrix[a, b] * result[b]
            result[a] += rest // matrix[a, a]


@njit(nogil=True, cache=True)
def add_row(products, row):
    """Adds the products of a row's symbols, each with those before it."""
    window = products.shape[1]
    for column in range(len(row)):
        symbol = np.int32(row[column])
        if symbol != 0:
            line = products[column]
            for k in range(min(window, column + 1)):
                line[k] += symbol * row[column - k]
