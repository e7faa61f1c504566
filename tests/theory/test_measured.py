"""Measured capacity: the peak of the seeds' mean, its interval, and bits by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.theory import capacity_estimate, converged, memorised_bits
from capacity.theory.measured import RESAMPLES

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


def test_the_interval_is_that_of_the_bootstrap_mean():
    """Where one size towers over the others, the bound on a mean of 4 of {17, 18, 19, 20}."""
    found = capacity_estimate(CURVES, draw())
    means = np.random.default_rng(5).choice([17.0, 18, 19, 20], (100_000, 4)).mean(axis=1)
    assert [found.low, found.high] == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.25)
    assert RESAMPLES >= 1000


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_the_interval_holds_the_estimate_and_no_more_than_the_seeds_say(seed, sizes, seeds):
    bits = np.random.default_rng(seed).normal(50, 10, (sizes, seeds))
    found = capacity_estimate(bits, np.random.default_rng(seed))
    assert bits.min(axis=1).max() <= found.low + 1e-9
    assert found.high <= bits.max() + 1e-9
    assert found.bits == bits.mean(axis=1)[found.size]
    if seeds == 1:
        assert found.low == found.bits == found.high


def test_a_seed_that_diverged_is_named():
    with pytest.raises(ValueError, match="leave out seeds that diverged"):
        capacity_estimate(np.array([[np.nan, 1.0]]), draw())


def test_converged_means_less_than_two_per_cent():
    assert converged(100.0, 101.9)
    assert converged(100.0, 98.1)
    assert not converged(100.0, 102.0)
