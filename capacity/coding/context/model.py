"""The context model of a matrix of symbols, walked row by row: what is expected of each symbol.

Contexts are the densities of its row and column so far, the symbols around it, also one `stride`
back (an image's row, a convolution's channel), and, in the correlated model, its prediction from
earlier columns and from earlier rows. All statistics are integers; 12 or 16 bits follow the point.
"""

import numpy as np
from numba import njit

from capacity.coding.context.correlation import PEAK, add_row, coefficients, partners
from capacity.coding.context.logistic import LEVEL, STRETCH
from capacity.coding.context.mixing import CHOICE, CHOICES, SLOT
from capacity.coding.context.state import ROW_PRIOR
from capacity.coding.context.symbol import code_symbol

# Numba keeps what it compiled until the file that a function stands in changes, and looks into no
# other: after a change of a module that is imported here, `make clean` removes what it kept.
_COLUMN_PRIOR = 3  # symbols that the expected density of a column is worth
_REFRESH = 32  # symbols of a row between two looks at its partners
_COLUMN_RIDGE, _ROW_RIDGE = 12, 8


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

            share = _at(reciprocal, j + ROW_PRIOR)
            density = ((count << 16) + ROW_PRIOR * row_density) * share >> 32
            row_level = _level(((mass << 12) + ROW_PRIOR * row_mean) * share >> 32, table)
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
            value = code_symbol(
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
def _sign(value):
    return np.int64(value > 0) + 2 * np.int64(value < 0)
