"""One symbol as decisions: zero or not, its sign, then whether its magnitude exceeds 1, 2, ..."""

import numpy as np
from numba import njit

from capacity.coding.context.logistic import LEVEL
from capacity.coding.context.mixing import CHOICE, CONTEXTS, INPUT, NARROW, SETS, SLOT, code, decide

ZERO, SIGN, LARGER, ESCAPE = 0, 1, 2, 10  # kinds of decision; LARGER + 7 serves all above 7
UNARY = 16  # magnitudes up to here are told one by one
MOST = 80  # a magnitude takes at most 3 + min(magnitude, MOST) decisions


@njit(nogil=True, cache=True, forceinline=True)
def code_symbol(value, odds, predicted, counters, memory, state, words, table):
    """Code a symbol or decode it, decision by decision; return it.

    Args:
      odds: of a one, by the densities of its row and its column.
      predicted: what columns and rows predict, in 2^-8, and a class of how often they miss; None
        in the model without predictions.
    """
    first = INPUT + (NARROW if predicted is None else CONTEXTS)
    memory[first], memory[first + 1], memory[first + 2] = odds[0], odds[1], 64
    given = (predicted, counters, memory, state, words, table)
    if _decided(ZERO, 1, value != 0, *given) == 0:
        return 0
    memory[first], memory[first + 1] = 0, 0
    sign = 2 * _decided(SIGN, 1, value > 0, *given) - 1
    size, told, more = abs(value), 1, 1
    while more == 1 and told <= UNARY:
        more = _decided(min(LARGER + told - 1, ESCAPE - 1), sign, size > told, *given)
        told += more
    if told > UNARY:
        rest = _escape(size - UNARY - 1, counters, memory, state, words, table)
        told = min(UNARY + 1 + rest, (1 << 31) - 1)
    return sign * told


@njit(nogil=True, cache=True, forceinline=True)
def _decided(kind, sign, truth, predicted, counters, memory, state, words, table):
    bit = np.int64(truth)
    if predicted is None:
        return decide(kind, NARROW, False, bit, counters, memory, state, words, table)
    _set_predictions(kind, sign, predicted, memory, table)
    return decide(kind, CONTEXTS, True, bit, counters, memory, state, words, table)


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
def _escape(rest, counters, memory, state, words, table):
    """A number >= 0 as Elias gamma: its length adaptively, then its bits as they are."""
    length, more = 0, 1
    while more == 1 and length < 31:
        for k in range(NARROW):
            memory[SLOT + k] = length
            memory[CHOICE + min(k, SETS - 1)] = 0
        bit = 1 if (rest + 1) >> (length + 1) else 0
        more = decide(ESCAPE, NARROW, False, bit, counters, memory, state, words, table)
        length += more
    number = 1
    for k in range(length):
        bit = ((rest + 1) >> (length - 1 - k)) & 1
        number = number << 1 | code(bit, 1 << 21, state, words)
    return number - 1


@njit(inline="always")
def _step(value, most, table):
    """A prediction in 2^-8 as a step of at most `most`: from 1/32 up in half octaves, from 1/4 up
    in quarters; signed."""
    quarters = max(table[LEVEL + min(abs(value), 4095)] - 12, 0)
    step = min((quarters + 1) // 2 if quarters < 12 else quarters - 6, most)
    return step if value >= 0 else -step
