"""The adaptive context code: by hand, against a decoder's arithmetic, and never much too long."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capacity.information import context_bits, symbol_entropy
from capacity.information.context import _contexts

matrices = hnp.arrays(
    np.int32, hnp.array_shapes(min_dims=1, max_dims=3, max_side=9), elements=st.integers(-4, 4)
)


def adaptive_bits(symbols):
    """One symbol after the other without a context, as a decoder would count."""
    levels = np.unique(symbols)
    counts = dict.fromkeys(levels.tolist(), 0.5)
    bits = 0.0
    for symbol in symbols.ravel().tolist():
        bits -= math.log2(counts[symbol] / sum(counts.values()))
        counts[symbol] += 1
    return bits


def model_bits(symbols, contexts, prior):
    """The same with contexts, each falling back on the zero-order law."""
    levels = np.unique(symbols)
    whole, inside, bits = dict.fromkeys(levels.tolist(), 0.5), {}, 0.0
    for symbol, context in zip(symbols.ravel().tolist(), contexts.tolist(), strict=True):
        seen = inside.setdefault(context, dict.fromkeys(levels.tolist(), 0))
        share = whole[symbol] / sum(whole.values())
        bits -= math.log2((seen[symbol] + prior * share) / (sum(seen.values()) + prior))
        seen[symbol] += 1
        whole[symbol] += 1
    return bits


def test_two_symbols_by_hand():
    """0 then 1: 1/2 and (1/2) / 2, so 3 bits under all seven models that have seen one symbol.

    The levels: '1' for 0 as the first, '010' for two of them, '1' for a distance of 1. A context
    that was never seen gives the zero-order law; where it was seen, (0 + b / 4) / (1 + b).
    """
    symbols = np.asarray([0, 1], np.int32)
    same = [model_bits(symbols, c, b) for c in _contexts(symbols[None]) for b in (8, 64)]
    expected = math.log2(7) - math.log2(2**-3 + sum(2**-bits for bits in same))
    assert context_bits(symbols) == pytest.approx(expected + 5)
    assert same[0] == pytest.approx(1 - math.log2(8 / 4 / 9))  # 0 to the left, as at the edge


@settings(deadline=None, max_examples=50)
@given(matrices)
def test_it_is_the_mixture_of_what_a_decoder_would_count(symbols):
    matrix = symbols.reshape(-1, symbols.shape[-1])
    totals = [adaptive_bits(symbols)]
    totals += [model_bits(symbols, c, b) for c in _contexts(matrix) for b in (8, 64)]
    mixture = -math.log2(sum(2.0**-total for total in totals) / 7)
    levels = np.unique(symbols)
    spent = context_bits(symbols) - mixture
    assert 2 - 1e-9 <= spent <= 7 + 7 + 5 * (len(levels) - 1)
    assert context_bits(symbols) <= adaptive_bits(symbols) + math.log2(7) + spent + 1e-9
    assert context_bits(symbols) >= 0


@settings(deadline=None, max_examples=50)
@given(matrices, st.integers(0, 1000))
def test_contexts_are_of_earlier_symbols_alone(symbols, place):
    """What comes after changes no context before it: a decoder knows them all."""
    matrix = symbols.reshape(-1, symbols.shape[-1])
    place %= matrix.size
    other = matrix.copy()
    other.ravel()[place:] = 3 - other.ravel()[place:]
    for before, after in zip(_contexts(matrix), _contexts(other), strict=True):
        np.testing.assert_array_equal(before[: place + 1], after[: place + 1])


def test_without_structure_it_costs_little_above_the_entropy():
    symbols = np.random.default_rng(0).integers(-3, 4, (100, 100)).astype(np.int32)
    entropy = symbols.size * symbol_entropy(symbols)
    assert entropy < context_bits(symbols) < entropy + 100


def test_rows_columns_and_neighbours_are_found():
    draw = np.random.default_rng(0)
    scale = np.where(np.arange(200) % 5 == 0, 4.0, 0.2)
    noise = draw.normal(size=(200, 60))
    smooth = np.cumsum(draw.integers(-1, 2, (200, 60)), axis=1).clip(-2, 2)
    for values in (noise * scale[:, None], (noise * scale[:, None]).T, smooth):
        symbols = np.rint(values).astype(np.int32)
        shuffled = draw.permutation(symbols.ravel()).reshape(symbols.shape)
        assert context_bits(symbols) < 0.8 * context_bits(shuffled)


def test_a_constant_tensor_costs_its_level_and_none_is_refused():
    """'1' for 0, '1' for one level, and less than three bits of the mixture."""
    assert 2 <= context_bits(np.zeros((30, 30), np.int32)) < 5
    assert context_bits(np.asarray(7, np.int32)) > 0
    with pytest.raises(ValueError, match="no symbols"):
        context_bits(np.zeros((0, 3), np.int32))
