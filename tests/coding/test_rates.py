"""Prices of integers: probabilities that sum to one, entropy where there is no structure."""

import numpy as np
import pytest

from capacity.coding.rates import REACH, prices, two_sided_rates


def laplace(shape, seed=0, scale=1.0):
    return np.rint(np.random.default_rng(seed).laplace(0, scale, shape)).astype(np.int32)


def test_prices_are_those_of_probabilities():
    rates = two_sided_rates(laplace((40, 30), scale=2.0), stride=5)
    inside = np.exp2(-rates.bits.astype(np.float64)).sum(axis=2)
    assert np.all(inside < 1 + 1e-5)
    # Beyond the table a geometric law; -REACH and REACH stand for their own values alone.
    assert np.all(inside > 0.8)
    assert rates.tail > 0


def test_prices_of_no_structure_are_its_entropy():
    symbols = laplace((300, 200))
    counts = np.unique(symbols, return_counts=True)[1]
    entropy = -(counts * np.log2(counts / symbols.size)).sum()
    assert prices(symbols, two_sided_rates(symbols)).sum() == pytest.approx(entropy, rel=0.01)


def test_empty_rows_and_columns_make_zeros_cheap():
    symbols = laplace((60, 50), scale=2.0)
    symbols[::2] = 0
    symbols[:, ::5] = 0
    zero = two_sided_rates(symbols).bits[..., REACH]
    assert zero[::2].max() < zero[1::2, 1:5].min()
    counts = np.unique(symbols, return_counts=True)[1]
    entropy = -(counts * np.log2(counts / symbols.size)).sum()
    assert prices(symbols, two_sided_rates(symbols)).sum() < 0.8 * entropy


def test_a_neighbour_a_stride_away_lowers_the_price():
    pattern = np.zeros((49, 40), np.int32)
    pattern[np.random.default_rng(1).integers(0, 42, 40), np.arange(40)] = 1
    pattern[7:] |= pattern[:-7]
    with_stride = prices(pattern, two_sided_rates(pattern, 7)).sum()
    assert with_stride < 0.8 * prices(pattern, two_sided_rates(pattern)).sum()


def test_far_symbols_cost_more_by_one_unit_each():
    symbols = laplace((50, 50), scale=4.0)
    rates = two_sided_rates(symbols)
    far = np.full_like(symbols, REACH + 3)
    expected = rates.bits[..., -1] + 3 * rates.tail
    assert np.allclose(prices(far, rates), expected)
    # 2 units past the table over 1 weight: tail = -log2(1 - 2 / 4) = 1 bit.
    assert two_sided_rates(np.array([[0, 0, REACH + 2]], np.int32)).tail == 1.0


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (3, 4)])
@pytest.mark.parametrize("value", [0, 1, -9])
def test_constant_matrices_have_finite_prices(shape, value):
    symbols = np.full(shape, value, np.int32)
    assert np.isfinite(prices(symbols, two_sided_rates(symbols, 2))).all()
