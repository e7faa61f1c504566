"""Measured capacity: the peak of the seeds' mean, its interval, and bits by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.theory import capacity_estimate, converged, memorised_bits

# three sizes (rows) of four seeds: means 10, 18.5, 12
CURVES = np.array([[10.0, 10, 10, 10], [20, 18, 19, 17], [8, 12, 16, 12]])


def draw():
    return np.random.default_rng(0)


def test_bits_by_hand():
    # 8 labels of 4 classes are 16 bits; a loss of 0.25 bits each leaves 2 of them
    assert list(memorised_bits(np.array([8]), 4, np.array([0.25]))) == [14]
    uniform = np.full(3, np.log2(10))
    assert memorised_bits(np.array([1, 10, 100]), 10, uniform) == pytest.approx(0)


def test_capacity_is_the_peak_and_not_the_last_value():
    found = capacity_estimate(CURVES, draw())
    assert (found.bits, found.size, found.at_edge) == (18.5, 1, False)
    assert capacity_estimate(CURVES[:2], draw()).at_edge


def test_the_interval_of_a_size_that_towers_is_that_of_a_mean():
    """Of {17, 18, 19, 20}: the bootstrap's deviation is sqrt(1.25 / 4), widened for four seeds."""
    found = capacity_estimate(CURVES, draw())
    wider = 3.182 / 1.96 * math.sqrt(4 / 3)
    half = wider * 1.96 * math.sqrt(1.25 / 4)
    assert [found.low, found.high] == pytest.approx([18.5 - half, 18.5 + half], abs=0.35)


def test_one_seed_has_no_interval():
    found = capacity_estimate(CURVES[:, :1], draw())
    assert (found.bits, found.low, found.high) == (20, None, None)


@pytest.mark.parametrize("shared", [0.0, 5.0])
def test_the_interval_holds_the_truth_as_often_as_it_says(shared):
    """Five seeds, six sizes of which three are nearly as good: of 300 intervals 93 % or so."""
    truth, random = np.array([100, 140, 158, 160, 159, 120.0]), np.random.default_rng(1)
    held = 0
    for _ in range(300):
        noise = random.normal(0, shared, (1, 5)) + random.normal(0, 5, (6, 5))
        found = capacity_estimate(truth[:, None] + noise, random)
        held += found.low <= 160 <= found.high
    assert 0.89 < held / 300 < 0.99


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(2, 6))
def test_the_estimate_is_the_largest_mean(seed, sizes, seeds):
    bits = np.random.default_rng(seed).normal(50, 10, (sizes, seeds))
    found = capacity_estimate(bits, np.random.default_rng(seed))
    assert found.bits == bits.mean(axis=1).max() == bits.mean(axis=1)[found.size]
    assert found.low <= found.high


def test_a_seed_that_diverged_is_named():
    with pytest.raises(ValueError, match="leave out seeds that diverged"):
        capacity_estimate(np.array([[np.nan, 1.0]]), draw())


def test_converged_means_less_than_two_per_cent():
    assert converged(100.0, 101.9)
    assert converged(100.0, 98.1)
    assert not converged(100.0, 102.0)
