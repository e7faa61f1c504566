"""Rate-distortion optimised rounding, each weight by itself."""

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.coding.quantise import uniform
from capacity.coding.rates import prices, two_sided_rates
from capacity.coding.rdo import rdo


def gaussian(shape, seed=0):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def test_free_bits_leave_nearest_rounding():
    weights = gaussian((3, 3, 2, 5))
    coded, nearest = rdo(weights, 0.3, 0.0), uniform(weights, 0.3)
    assert np.array_equal(coded.symbols, nearest.symbols)
    assert coded.step == nearest.step


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 99), st.floats(0, 1))
def test_the_objective_is_never_worse_than_that_of_nearest_rounding(seed, rate_weight):
    weights = gaussian((20, 10), seed)
    importance = np.random.default_rng(seed).uniform(0, 2, weights.shape)
    nearest = uniform(weights, 0.4)
    coded = rdo(weights, 0.4, rate_weight, importance, passes=1)
    rates = two_sided_rates(nearest.symbols)

    def objective(quantised):
        error = quantised.symbols * np.float64(quantised.step) - weights.astype(np.float64)
        return np.sum(importance * error**2) + rate_weight * prices(quantised.symbols, rates).sum()

    assert objective(coded) <= objective(nearest) * (1 + 1e-9)


def test_every_integer_is_the_best_of_all_at_the_prices_of_the_pass():
    weights = gaussian((12, 9), 3)
    rates = two_sided_rates(uniform(weights, 0.5).symbols)
    levels = np.arange(-9, 10, dtype=np.int32)
    costs = [
        (weights.astype(np.float64) - 0.5 * level) ** 2
        + 0.02 * prices(np.full(weights.shape, level, np.int32), rates)
        for level in levels
    ]
    chosen = levels[np.argmin(costs, axis=0)]
    assert np.array_equal(rdo(weights, 0.5, 0.02, passes=1).symbols, chosen)


def test_what_matters_is_kept_and_what_does_not_is_zeroed():
    weights = gaussian((30, 20))
    importance = np.ones((30, 20))
    importance[15:] = 0.0
    coded = rdo(weights, 0.1, 0.01, importance).symbols
    assert not coded[15:].any()
    assert np.abs(coded[:15] * 0.1 - weights[:15]).max() < 0.5


@pytest.mark.parametrize("shape", [(), (0,), (5,), (4, 0), (2, 3, 4)])
def test_any_shape(shape):
    coded = rdo(np.ones(shape, np.float32), 0.25, 1e-6)
    assert coded.symbols.shape == shape
    assert np.all(coded.symbols == 4)


def test_large_tensors_go_by_blocks_of_outputs(monkeypatch):
    weights = gaussian((8, 10))
    whole = [rdo(weights[:, i : i + 4], 0.5, 0.05).symbols for i in (0, 4, 8)]
    monkeypatch.setattr(import_module("capacity.coding.rdo"), "_BLOCK", 32)  # rdo is a name, too
    assert np.array_equal(rdo(weights, 0.5, 0.05).symbols, np.concatenate(whole, axis=1))
