"""OBS: nearest rounding without coupling, errors repaired by hand, never worse than nearest."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capacity.coding.errors import UnquantisableTensor
from capacity.coding.obs import damped, distortion, inverse_root, obs
from capacity.coding.quantise import dequantised, uniform
from capacity.coding.rates import prices, two_sided_rates


def layer(inputs, outputs, seed=0, correlated=True):
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, 1, (inputs, outputs)).astype(np.float32)
    mixing = rng.normal(0, 1, (inputs, inputs)) if correlated else np.eye(inputs)
    samples = rng.normal(0, 1, (4 * inputs, inputs)) @ mixing
    return weights, samples.T @ samples / len(samples)


def test_the_root_is_upper_triangular_and_that_of_the_inverse():
    moment = damped(layer(6, 1)[1], 0.1)
    root = inverse_root(moment)
    assert np.allclose(np.tril(root, -1), 0)
    assert np.allclose(root.T @ root @ moment, np.eye(6))


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 99), st.floats(0.0625, 2, width=32))
def test_uncoupled_inputs_without_a_rate_are_rounded_to_the_nearest(inputs, outputs, seed, step):
    weights, _ = layer(inputs, outputs, seed)
    moment = np.diag(np.random.default_rng(seed).uniform(0, 2, inputs))
    coded, nearest = obs(weights, moment, step, 0.0), uniform(weights, step)
    assert np.array_equal(coded.symbols, nearest.symbols)
    assert (coded.step, coded.dtype) == (nearest.step, nearest.dtype)


def test_ties_are_those_of_nearest_rounding():
    weights = np.array([[0.5], [1.5], [-2.5]], np.float32)
    assert obs(weights, np.eye(3), 1.0, 0.0).symbols.ravel().tolist() == [0, 2, -2]


def test_an_error_moves_to_the_next_input_by_hand():
    # H = [[2, 1], [1, 2]]: with the first weight off by e, the second is best off by -e / 2.
    # 0.4 -> 0, e = -0.4; the second becomes 0.4 + 0.4 / 2 = 0.6 -> 1. Nearest would be 0.
    moment = np.array([[2.0, 1.0], [1.0, 2.0]])
    weights = np.array([[0.4], [0.4]], np.float32)
    coded = obs(weights, moment, 1.0, 0.0, damping=0.0)
    assert coded.symbols.ravel().tolist() == [0, 1]
    # E = (-0.4, 0.6): (2 * 0.16 + 2 * 0.36 - 2 * 0.24) / 2 = 0.28; nearest: 6 * 0.16 / 2 = 0.48.
    error = coded.symbols - weights.astype(np.float64)
    assert distortion(error, moment) == pytest.approx(0.28)


def test_an_error_moves_to_the_next_output_by_hand():
    # The same numbers with the coupling between outputs.
    moment = np.array([[2.0, 1.0], [1.0, 2.0]])
    weights = np.array([[0.4, 0.4]], np.float32)
    coded = obs(
        weights, np.ones((1, 1)), 1.0, 0.0, output_moment=moment, damping=0.0, output_damping=0.0
    )
    assert coded.symbols.tolist() == [[0, 1]]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("outputs", [1, 2])
def test_no_better_than_an_exhaustive_search_and_no_worse_than_nearest(seed, outputs):
    inputs = 6 // outputs
    weights, moment = layer(inputs, outputs, seed)
    gradients = layer(outputs, outputs, seed + 50)[1]
    coded = obs(weights, moment, 1.0, 0.0, output_moment=gradients)
    inner, outer = damped(moment, 0.1), damped(gradients, 1.0)

    def loss(symbols):
        return distortion(symbols - weights.astype(np.float64), inner, outer)

    corners = np.floor(weights)
    best = min(
        loss(corners + np.reshape(shift, weights.shape))
        for shift in itertools.product((-1, 0, 1, 2), repeat=weights.size)
    )
    assert best - 1e-9 <= loss(coded.symbols) <= loss(uniform(weights, 1.0).symbols)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 99), st.floats(0, 10))
@example(16, 1.0)  # nearest rounding is the better start
def test_the_objective_is_never_worse_than_that_of_nearest_rounding(seed, rate_weight):
    # With one pass the prices are those of the integers of rate_weight 0.
    weights, moment = layer(12, 7, seed)
    inner = damped(moment, 0.1)
    rates = two_sided_rates(obs(weights, moment, 0.5, 0.0).symbols)
    coded = obs(weights, moment, 0.5, rate_weight, passes=1)

    def objective(quantised):
        error = quantised.symbols * 0.5 - weights.astype(np.float64)
        return distortion(error, inner) + rate_weight * prices(quantised.symbols, rates).sum()

    assert objective(coded) <= objective(uniform(weights, 0.5)) * (1 + 1e-9)


def test_a_dearer_bit_leaves_fewer_of_them_and_more_distortion():
    weights, moment = layer(80, 40)
    weights /= 2  # most are nearest to zero, so that zero is the cheapest integer
    rate_weights = [0.0, 1.0, 10.0, 100.0]
    coded = [obs(weights, moment, 0.5, rate_weight) for rate_weight in rate_weights]
    kept = [np.count_nonzero(quantised.symbols) for quantised in coded]
    inner = damped(moment, 0.1)
    lost = [distortion(dequantised(q).astype(np.float64) - weights, inner) for q in coded]
    assert kept == sorted(kept, reverse=True)
    assert lost == sorted(lost)
    assert np.count_nonzero(obs(weights, moment, 0.5, 1e9).symbols) == 0


def test_repairing_errors_spares_what_few_directions_of_inputs_see():
    # 15 of 60 directions matter: 45 are free to take errors up.
    weights, _ = layer(60, 30)
    seen = np.random.default_rng(1).normal(0, 1, (15, 60))
    moment = seen.T @ seen
    coded, nearest = obs(weights, moment, 1.0, 0.0, damping=0.01), uniform(weights, 1.0)
    errors = [dequantised(quantised) - weights.astype(np.float64) for quantised in (coded, nearest)]
    assert distortion(errors[0], moment) < distortion(errors[1], moment) / 3


def test_the_same_integers_every_time_and_nothing_changed():
    weights, moment = layer(30, 20)
    before = weights.copy(), moment.copy()
    first, second = (obs(weights, moment, 0.5, 0.3, stride=6) for _ in range(2))
    assert np.array_equal(first.symbols, second.symbols)
    assert first.symbols.shape == weights.shape
    assert first.symbols.dtype == np.int32
    assert np.array_equal(weights, before[0])
    assert np.array_equal(moment, before[1])


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (1, 1)])
def test_small_layers(shape):
    coded = obs(np.ones(shape, np.float32), np.eye(shape[0]), 0.25, 1e-6)
    assert coded.symbols.shape == shape
    assert np.all(coded.symbols == 4)


def test_inputs_that_never_fire_lose_their_weights_to_the_rate():
    weights, _ = layer(40, 30)
    weights /= 3
    moment = np.diag([1.0] * 20 + [0.0] * 20)
    coded = obs(weights, moment, 0.5, 0.01, damping=1e-3)
    assert not coded.symbols[20:].any()
    assert coded.symbols[:20].any()
    assert obs(weights, np.zeros((40, 40)), 0.5, 0.0).symbols.shape == (40, 30)


def test_what_cannot_be_quantised_is_refused_by_name():
    weights, moment = layer(3, 2)
    with pytest.raises(UnquantisableTensor, match="fc: 1 of 6 weights are NaN"):
        obs(np.where(np.eye(3, 2, 1) > 0, np.nan, weights), moment, 0.5, 0.1, name="fc")
    with pytest.raises(UnquantisableTensor, match="fc: its second moment is not finite"):
        obs(weights, moment * np.inf, 0.5, 0.1, name="fc")
    with pytest.raises(UnquantisableTensor, match="fc: step 0"):
        obs(weights, moment, 0.0, 0.1, name="fc")
