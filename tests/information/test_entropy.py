"""Entropies of counts: laws, scipy as a reference, and MNIST's labels by hand."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.information.entropy import (
    miller_madow_entropy,
    plugin_entropy,
    symbol_counts,
    symbol_entropy,
)

MNIST_LABELS = np.array([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])

histograms = st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any).map(np.array)


@settings(deadline=None)
@given(histograms)
def test_plugin_is_scipys_entropy_in_base_two(counts):
    assert plugin_entropy(counts) == pytest.approx(scipy.stats.entropy(counts, base=2), abs=1e-12)


@settings(deadline=None)
@given(histograms)
def test_plugin_lies_between_zero_and_log_of_the_alphabet(counts):
    assert 0 <= plugin_entropy(counts) <= math.log2(len(counts)) + 1e-12


@settings(deadline=None)
@given(histograms, st.integers(0, 2**32 - 1))
def test_order_and_empty_cells_change_nothing(counts, seed):
    shuffled = np.random.default_rng(seed).permutation(np.append(counts, [0, 0]))
    assert plugin_entropy(shuffled) == pytest.approx(plugin_entropy(counts), abs=1e-12)
    assert miller_madow_entropy(shuffled) == pytest.approx(miller_madow_entropy(counts), abs=1e-12)


def test_the_labels_of_mnist():
    assert plugin_entropy(MNIST_LABELS) == pytest.approx(3.319871, abs=5e-7)
    assert 60_000 * plugin_entropy(MNIST_LABELS) == pytest.approx(199_192.3, abs=0.05)


@pytest.mark.parametrize("size", [1, 2, 10, 256])
def test_uniform_counts_give_the_log_of_their_number(size):
    assert plugin_entropy(np.full(size, 7)) == pytest.approx(math.log2(size), abs=1e-12)


def test_a_constant_has_positive_zero_entropy():
    assert math.copysign(1, plugin_entropy(np.array([0, 5]))) == 1
    assert plugin_entropy(np.array([0, 5])) == 0


def test_miller_madow_adds_the_leading_bias():
    # two occupied cells, four samples: 1 + 1 / (8 ln 2)
    assert miller_madow_entropy(np.array([2, 2, 0])) == pytest.approx(1 + 1 / (8 * math.log(2)))


def test_miller_madow_is_nearer_the_truth_than_plugin_for_few_samples():
    draws = np.random.default_rng(0).integers(0, 16, (200, 64))
    counts = [np.bincount(draw, minlength=16) for draw in draws]
    plugin = np.mean([plugin_entropy(c) for c in counts])
    corrected = np.mean([miller_madow_entropy(c) for c in counts])
    # bias of the plug-in: 15 / (128 ln 2) = 0.169 bits; 200 draws leave an error of 0.004
    assert 4 - plugin == pytest.approx(0.169, abs=0.02)
    assert abs(4 - corrected) < 0.02


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_symbol_counts_sum_to_the_size_and_come_in_order_of_value(dtype):
    symbols = np.array([[9, 3, 9], [0, 9, 3]], dtype)
    assert symbol_counts(symbols).tolist() == [1, 2, 3]
    assert symbol_entropy(symbols) == plugin_entropy(np.array([1, 2, 3]))


def test_negative_symbols_count_too():
    assert symbol_counts(np.array([-4, 2, -4])).tolist() == [2, 1]


@pytest.mark.parametrize(
    ("counts", "message"), [([0, 0], "all zero"), ([], "all zero"), ([3, -1], "hold -1")]
)
def test_what_has_no_entropy_is_refused(counts, message):
    with pytest.raises(ValueError, match=message):
        plugin_entropy(np.array(counts, np.int64))
