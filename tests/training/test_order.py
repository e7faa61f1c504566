"""The order of the examples: each once per epoch, each epoch otherwise, no order more likely."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from capacity.training.order import shuffled

LARGEST = 3000
read: Any = jax.jit(shuffled)


def reading(size, seed=0):
    """What the first 3000 positions of an endless reading hold."""
    return np.asarray(read(jax.random.key(seed), jnp.arange(LARGEST), jnp.int32(size)))


@settings(deadline=None)  # the first example compiles
@given(st.integers(1, LARGEST), st.integers(0, 5))
def test_each_example_once_per_epoch_for_every_size(size, seed):
    order = reading(size, seed)
    epochs = LARGEST // size
    whole = np.sort(order[: epochs * size].reshape(epochs, size), axis=1)
    np.testing.assert_array_equal(whole, np.broadcast_to(np.arange(size), whole.shape))
    rest = order[epochs * size :]
    assert len(np.unique(rest)) == len(rest)


def test_the_size_is_no_shape():
    before = read._cache_size()
    for size in (7, 99, 2500):
        reading(size)
    assert read._cache_size() == max(before, 1)


def test_every_epoch_and_every_key_has_an_order_of_its_own():
    orders = [tuple(epoch) for seed in range(4) for epoch in reading(60, seed).reshape(-1, 60)]
    assert len(set(orders)) == len(orders) == 4 * 50


def test_a_batch_may_straddle_an_epoch():
    """It is what one reading of all positions holds there: an end and a beginning."""
    whole = reading(64)
    batch = jnp.arange(60, 70)
    found = read(jax.random.key(0), batch, jnp.int32(64))
    np.testing.assert_array_equal(found, whole[60:70])


@pytest.mark.parametrize("size", [10, 30])
def test_every_example_is_as_likely_at_every_position(size):
    """Pearson's chi-square of positions against examples, at fixed keys, one in a thousand."""
    epochs = LARGEST // size
    counts = np.zeros((size, size))
    for seed in range(10):
        order = reading(size, seed).reshape(epochs, size)
        np.add.at(counts, (np.broadcast_to(np.arange(size), order.shape), order), 1)
    expected = 10 * epochs / size
    statistic = np.sum((counts - expected) ** 2 / expected)
    # Rows and columns both have fixed sums.
    low, high = chi2.ppf([0.0005, 0.9995], (size - 1) ** 2)
    assert low < statistic < high


def test_neighbours_in_an_epoch_are_no_neighbours_in_the_set():
    """A shuffled pass has about one ascent by 1 (n - 1 pairs, each with chance 1 / n)."""
    order = reading(1000).reshape(3, 1000)
    ascents = np.sum(np.diff(order, axis=1) == 1)
    assert ascents <= 14  # Poisson with mean 3: more has a chance below 1e-6


@pytest.mark.parametrize("size", [2**31 - 1, 60_000, 1_281_167])
def test_large_sets_stay_in_range(size):
    order = np.asarray(read(jax.random.key(0), jnp.arange(LARGEST), jnp.int32(size)))
    assert order.min() >= 0
    assert order.max() < size
    assert len(np.unique(order)) == LARGEST
    # The first 3000 of a shuffled set are spread over all of it: five deviations of a mean.
    assert np.mean(order / size) == pytest.approx(0.5, abs=5 * np.sqrt(1 / 12 / LARGEST))
