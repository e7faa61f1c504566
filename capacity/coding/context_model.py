"""The context model of a matrix of symbols, walked row by row: what is expected of each symbol.

A symbol is coded as decisions: zero or not, its sign, then whether its magnitude exceeds 1, 2, ...
Contexts are the densities of its row and column so far, the symbols around it, also one `stride`
back (an image's row, a convolution's channel), and, in the correlated model, its prediction from
earlier columns and from earlier rows. All statistics are integers; 12 or 16 bits follow the point.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from capacity.coding.correlation import PEAK, add_row, coefficients, partners
from capacity.coding.logistic import LEVEL, STRETCH
from capacity.coding.mixing import (
    CHOICE,
    CHOICES,
    CONTEXTS,
    INPUT,
    SETS,
    SLOT,
    Mixer,
    code,
    decide,
    new_mixer,
)

ZERO, SIGN, LARGER, ESCAPE = 0, 1, 2, 10  # kinds of decision; LARGER + 7 serves all above 7
UNARY = 16  # magnitudes up to here are told one by one

_ROW_PRIOR, _COLUMN_PRIOR = 6, 3  # symbols that the expected density of a row or column is worth
_REFRESH = 32  # symbols of a row between two looks at its partners
_COLUMN_RIDGE, _ROW_RIDGE = 12, 8
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
      reciprocal: [columns + _ROW_PRIOR] 2^32 / n.
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
        reciprocal=(1 << 32) // np.maximum(np.arange(max(columns + _ROW_PRIOR, 64)), 1),
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


@njit(nogil=True, cache=True)
def code_rows(symbols, first, last, stride, most, model, coder, table):  # noqa: PLR0915
    """Code or decode the rows `first` to `last` - 1 of `symbols` [rows, columns], in place."""
    field, found, (counters, memory) = model
    state, tape = coder
    columns = symbols.shape[1]
    margin = stride + 1
    # Attributes are looked up once: in a loop each would be counted in and out.
    grid, turned, reciprocal, spread = field.grid, field.turned, field.reciprocal, field.spread
    column_count, column_mass = field.column_count, field.column_mass
    column_odds, column_level = field.column_odds, field.column_level
    partner, weight, partner_count = found.column_partners, found.column_weights, found.column_found
    row_partner, row_weight = found.row_partners, found.row_weights
    for i in range(first, last):
        if most > 0 and i >= found.refreshed[0]:
            _find_partners(most, found)
            found.refreshed[0] = i + i // 10 + 1
        row_density, row_mean, mean_level = _expect(i, stride, field, table)
        line, above = grid[i + 1], grid[i]
        count, mass, related = np.int64(0), np.int64(0), 0
        for j in range(columns):
            at = margin + j
            left, upper = _at(line, at - 1), _at(above, at)
            back = _at(line, at - stride)
            near = 90 * abs(left) + 38 * abs(_at(line, at - 2)) + 76 * abs(back)
            near += 26 * (abs(_at(line, at - stride + 1)) + abs(_at(line, at - stride - 1)))

            share = _at(reciprocal, j + _ROW_PRIOR)
            density = ((count << 16) + _ROW_PRIOR * row_density) * share >> 32
            row_level = _level(((mass << 12) + _ROW_PRIOR * row_mean) * share >> 32, table)
            own_level = column_level[j]
            expected = min(max(row_level + own_level - mean_level - 6, 0), 47) >> 1
            nearby = min(max((_at(table, LEVEL + near) >> 1) - 8, 0), 15)
            signs = 9 * _sign(left) + 3 * _sign(back) + _sign(upper)
            sizes = 9 * min(abs(left), 2) + 3 * min(abs(upper), 2) + min(abs(back), 2)

            by_columns, by_rows, missed = np.int64(0), np.int64(0), 0
            if most > 0:
                if j % _REFRESH == 0 and j > 0 and i > 0:
                    related = _find_row_partners(i, most, found)
                for k in range(partner_count[j]):
                    by_columns += weight[j, k] * line[margin + partner[j, k]]
                for k in range(related):
                    by_rows += row_weight[k] * turned[j, row_partner[k]]
                by_columns, by_rows = by_columns >> 6, by_rows >> 6
                missed = min(table[LEVEL + min(spread[j], 4095)] // 4, 11)

            row_odds = table[STRETCH + (min(density, 65535) >> 4)]
            memory[SLOT + 0] = expected * 16 + nearby
            memory[SLOT + 1] = sizes
            memory[SLOT + 2] = signs
            memory[SLOT + 3] = j & 1023
            memory[SLOT + 4] = nearby
            memory[CHOICE + 0] = expected
            memory[CHOICE + 1] = 0
            memory[CHOICE + 2] = min(own_level, CHOICES - 1)
            memory[CHOICE + 3] = 0
            value = _code_symbol(
                symbols[i, j],
                (row_odds, column_odds[j]),
                most,
                (by_columns, by_rows, missed),
                counters,
                memory,
                state,
                tape,
                table,
            )
            symbols[i, j] = value

            small = min(max(value, -PEAK), PEAK)
            line[at] = small
            if value != 0:
                count += 1
                mass += abs(small)
                column_count[j] += 1
                column_mass[j] += abs(small)
                if most > 0:
                    _relate(small, i, j, field, found)
            if most > 0:
                error = abs((small << 8) - by_columns) - spread[j]
                spread[j] += error * reciprocal[min(i, 40) + 2] >> 32
        field.row_count[i], field.row_mass[i] = count, mass
        field.total[0] += count
        field.total[1] += mass
        field.total[2] += columns
        if most > 0:
            add_row(found.columns, line[margin:])


@njit(nogil=True, cache=True, forceinline=True)
def _code_symbol(value, odds, most, predicted, counters, memory, state, tape, table):
    """Code a symbol or decode it, decision by decision; return it.

    Args:
      odds: of a one, by the densities of its row and its column.
      predicted: what columns and rows predict, in 2^-8, and a class of how often they miss.
    """
    size, sign, told, more, kind = abs(value), 1, 0, 1, ZERO
    contexts = CONTEXTS if most > 0 else 5
    memory[INPUT + contexts + 2] = 64
    while more == 1 and told <= UNARY:
        if most > 0:
            _set_predictions(kind, sign, predicted, memory, table)
        memory[INPUT + contexts] = odds[0] if kind == ZERO else 0
        memory[INPUT + contexts + 1] = odds[1] if kind == ZERO else 0
        bit = np.int64(value > 0 if kind == SIGN else size > told)
        if most > 0:
            bit = decide(kind, CONTEXTS, True, bit, counters, memory, state, tape, table)
        else:
            bit = decide(kind, 5, False, bit, counters, memory, state, tape, table)
        if kind == ZERO:
            more, kind = bit, SIGN
        elif kind == SIGN:
            sign, told, kind = 2 * bit - 1, 1, LARGER
        else:
            more = bit
            told += bit
            kind = min(LARGER + told - 1, ESCAPE - 1)
    if told > UNARY:
        rest = _escape(size - UNARY - 1, counters, memory, state, tape, table)
        told = min(UNARY + 1 + rest, (1 << 31) - 1)
    return sign * told


@njit(nogil=True, cache=True)
def _set_predictions(kind, sign, predicted, memory, table):
    """Contexts of the predictions: with the sign that is known by now; a zero has either."""
    by_columns, by_rows, missed = predicted
    a, b, both = by_columns * sign, by_rows * sign, (by_columns + by_rows) * sign
    if kind == ZERO:
        a, b, both = abs(a), abs(b), abs(both)
    memory[INPUT + 14] = min(max(2 * both if kind == SIGN else both, -2047), 2047)
    memory[INPUT + 15] = min(max(2 * a, -2047), 2047) if kind == SIGN else 0
    a = _step(a, 15, table) if kind == ZERO else _step(a, 12, table) + 12
    b = _step(b, 15, table) if kind == ZERO else _step(b, 12, table) + 12
    both = _step(both, 23, table) if kind == ZERO else _step(both, 16, table) + 16
    memory[SLOT + 5] = a * 12 + missed
    memory[SLOT + 6] = b
    memory[SLOT + 7] = both * 27 + memory[SLOT + 2]
    memory[SLOT + 8] = both * 16 + memory[SLOT + 4]
    memory[SLOT + 9] = a * 32 + b
    memory[SLOT + 10] = both * 24 + memory[CHOICE + 0]
    memory[CHOICE + 1] = both


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
        count_prior = ((count << 16) + 2 * density) // (seen + 2)
        mass_prior = ((mass << 12) + 2 * mean) // (seen + 2)
        own = ((field.column_count[j] << 16) + _COLUMN_PRIOR * count_prior) // (i + _COLUMN_PRIOR)
        level = ((field.column_mass[j] << 12) + _COLUMN_PRIOR * mass_prior) // (i + _COLUMN_PRIOR)
        field.column_odds[j] = table[STRETCH + (min(own, 65535) >> 4)]
        field.column_level[j] = _level(level, table)
    row_density, row_mean = density, mean
    if i > 0:
        row_density = (7 * ((field.row_count[i - 1] << 16) // columns) + 3 * density) // 10
        row_mean = (7 * ((field.row_mass[i - 1] << 12) // columns) + 3 * mean) // 10
    return row_density, row_mean, _level(mean, table)


@njit(nogil=True, cache=True)
def _find_partners(most, found):
    for j in range(len(found.column_found)):
        chosen = found.column_partners[j]
        count = partners(found.columns, j, most, chosen)
        found.column_found[j] = count
        if count > 0:
            weights = found.column_weights[j]
            coefficients(found.columns, j, chosen, count, _COLUMN_RIDGE, weights)


@njit(nogil=True, cache=True)
def _find_row_partners(i, most, found):
    count = partners(found.rows, i, most, found.row_partners)
    if count > 0:
        coefficients(found.rows, i, found.row_partners, count, _ROW_RIDGE, found.row_weights)
    return count


@njit(nogil=True, cache=True)
def _relate(symbol, i, j, field, found):
    """Adds the products of a symbol with those above it, and keeps it for those below."""
    above, products = field.turned[j], found.rows[i]
    above[i] = symbol
    for k in range(min(len(products), i + 1)):
        products[k] += np.int32(symbol) * above[i - k]


@njit(nogil=True, cache=True)
def _escape(rest, counters, memory, state, tape, table):
    """A number >= 0 as Elias gamma: its length adaptively, then its bits as they are."""
    length, more = 0, 1
    while more == 1 and length < 31:
        for k in range(5):
            memory[SLOT + k] = length
            memory[CHOICE + min(k, SETS - 1)] = 0
        bit = 1 if (rest + 1) >> (length + 1) else 0
        more = decide(ESCAPE, 5, False, bit, counters, memory, state, tape, table)
        length += more
    number = 1
    for k in range(length):
        bit = ((rest + 1) >> (length - 1 - k)) & 1
        number = number << 1 | code(bit, 1 << 21, state, tape)
    return number - 1


@njit(inline="always")
def _at(array, index):
    """The entry at an index that is not negative."""
    return np.int64(array[np.uintp(index)])


@njit(inline="always")
def _level(value, table):
    """4 log2 of a number >= 0 in 2^-12."""
    if value < 4096:
        return table[LEVEL + value]
    return table[LEVEL + min(value >> 6, 4095)] + 24


@njit(inline="always")
def _step(value, most, table):
    """A prediction in 2^-8 as a step of at most `most`: from 1/32 up in half octaves, from 1/4 up
    in quarters; signed."""
    quarters = max(table[LEVEL + min(abs(value), 4095)] - 12, 0)
    step = min((quarters + 1) // 2 if quarters < 12 else quarters - 6, most)
    return step if value >= 0 else -step


@njit(inline="always")
def _sign(value):
    return np.int64(value > 0) + 2 * np.int64(value < 0)
