"""The context model of a matrix of symbols, walked row by row: what is expected of each symbol.

Contexts are the densities of its row and column so far, the symbols around it, also one `stride`
back (an image's row, a convolution's channel), and, in the correlated model, its prediction from
earlier columns and from earlier rows. All statistics are integers; 12 or 16 bits follow the point.
"""

import numpy as np
from numba import njit

from capacity.coding.context.correlation import PEAK
from capacity.coding.context.logistic import LEVEL, STRETCH
from capacity.coding.context.mixing import CHOICE, CHOICES, SLOT
from capacity.coding.context.pointer import pointer
from capacity.coding.context.prediction import (
    begin_row,
    end_row,
    find_row_partners,
    learn,
    pointers,
    predict,
)
from capacity.coding.context.state import ROW_PRIOR
from capacity.coding.context.symbol import code_symbol

# Numba keeps what it compiled until the file that a function stands in changes, and looks into no
# other: after a change of a module that is imported here, `make clean` removes what it kept.
_COLUMN_PRIOR = 3  # symbols that the expected density of a column is worth


@njit(nogil=True, cache=True)
def code_rows(symbols, first, stride, field, found, mixer, coder, table):
    """Code or decode `symbols` [rows, columns], in place, whose first row is the `first` of all.

    Args:
      found: the correlations; None for a model that predicts nothing.
    """
    for k in range(len(symbols)):
        i, row = first + k, symbols[k]
        if found is None:
            _code_row(row, i, stride, field, None, mixer, coder, table)
        else:
            begin_row(i, found)
            _code_row(row, i, stride, field, pointers(found), mixer, coder, table)
            end_row(field.grid[i + 1, stride + 1 :], found)


@njit(nogil=True, cache=True)
def _code_row(symbols, i, stride, field, known, mixer, coder, table):
    row_density, row_mean, mean_level = _expect(i, stride, field, table)
    line, above = pointer(field.grid[i + 1, stride + 1 :]), pointer(field.grid[i, stride + 1 :])
    column_count, column_mass = pointer(field.column_count), pointer(field.column_mass)
    column_odds, column_level = pointer(field.column_odds), pointer(field.column_level)
    row, reciprocal, entries = pointer(symbols), pointer(field.reciprocal), pointer(table)
    memory = pointer(mixer.memory)
    tools = (pointer(mixer.counters), memory, pointer(coder.state), pointer(coder.words), entries)
    count, mass, related = np.int64(0), np.int64(0), 0
    for j in range(len(symbols)):
        share = np.int64(reciprocal[j + ROW_PRIOR])
        density = ((count << 16) + ROW_PRIOR * row_density) * share >> 32
        row_level = _level(((mass << 12) + ROW_PRIOR * row_mean) * share >> 32, entries)
        own_level = column_level[j]
        expected = min(max(row_level + own_level - mean_level - 6, 0), 47) >> 1
        _look_around(line, above, j, stride, expected, memory, entries)
        memory[CHOICE + 2] = min(own_level, CHOICES - 1)
        odds = (entries[STRETCH + (min(density, 65535) >> 4)], column_odds[j])
        if known is None:
            value = code_symbol(row[j], odds, None, *tools)
        else:
            related = find_row_partners(i, j, related, known)
            predicted = predict(j, line, related, known, entries)
            value = code_symbol(row[j], odds, predicted, *tools)
            learn(i, j, value, predicted, reciprocal, known)
        row[j] = value

        small = min(max(value, -PEAK), PEAK)
        line[j] = small
        if value != 0:
            count += 1
            mass += abs(small)
            column_count[j] += 1
            column_mass[j] += abs(small)
    field.row_count[i], field.row_mass[i] = count, mass
    field.total[0] += count
    field.total[1] += mass
    field.total[2] += len(symbols)


@njit(nogil=True, cache=True, forceinline=True)
def _look_around(line, above, j, stride, expected, memory, table):
    """Contexts of the symbol at j of a line: its neighbours, and the level expected of it."""
    left, upper, back = np.int64(line[j - 1]), np.int64(above[j]), np.int64(line[j - stride])
    near = 90 * abs(left) + 38 * abs(np.int64(line[j - 2])) + 76 * abs(back)
    near += 26 * abs(np.int64(line[j - stride + 1])) + 26 * abs(np.int64(line[j - stride - 1]))
    nearby = min(max((table[LEVEL + near] >> 1) - 8, 0), 15)
    memory[SLOT + 0] = expected * 16 + nearby
    memory[SLOT + 1] = 9 * min(abs(left), 2) + 3 * min(abs(upper), 2) + min(abs(back), 2)
    memory[SLOT + 2] = 9 * _sign(left) + 3 * _sign(back) + _sign(upper)
    memory[SLOT + 3] = j & 1023
    memory[SLOT + 4] = nearby
    memory[CHOICE + 0] = expected
    memory[CHOICE + 1] = 0
    memory[CHOICE + 3] = 0


@njit(nogil=True, cache=True)
def _expect(i, stride, field, table):
    """Fills in what row i expects of its columns; its own density (2^-16), mean and mean level."""
    columns = len(field.column_count)
    density = ((field.total[0] << 16) + 26214) // (field.total[2] + 1)
    mean = ((field.total[1] << 12) + 819) // (field.total[2] + 1)
    for j in range(columns):
        count, mass, seen = np.int64(0), np.int64(0), np.int64(0)
        for k in (-stride, -1, 1, stride):
            if 0 <= j + k < columns:
                count += field.column_count[j + k]
                mass += field.column_mass[j + k]
                seen += i
        count_prior = _share((count << 16) + 2 * density, seen + 2)
        mass_prior = _share((mass << 12) + 2 * mean, seen + 2)
        own = _share((field.column_count[j] << 16) + _COLUMN_PRIOR * count_prior, i + _COLUMN_PRIOR)
        level = _share((field.column_mass[j] << 12) + _COLUMN_PRIOR * mass_prior, i + _COLUMN_PRIOR)
        field.column_odds[j] = table[STRETCH + (min(own, 65535) >> 4)]
        field.column_level[j] = _level(level, table)
    row_density, row_mean = density, mean
    if i > 0:
        row_density = (7 * ((field.row_count[i - 1] << 16) // columns) + 3 * density) // 10
        row_mean = (7 * ((field.row_mass[i - 1] << 12) // columns) + 3 * mean) // 10
    return row_density, row_mean, _level(mean, table)


@njit(inline="always")
def _share(value, parts):
    """The quotient of numbers >= 0: faster than that of signed ones."""
    return np.int64(np.uint64(value) // np.uint64(parts))


@njit(inline="always")
def _level(value, table):
    """4 log2 of a number >= 0 in 2^-12."""
    if value < 4096:
        return table[LEVEL + value]
    return table[LEVEL + min(value >> 6, 4095)] + 24


@njit(inline="always")
def _sign(value):
    return np.int64(value > 0) + 2 * np.int64(value < 0)
