"""A network by OBS: biases absorb mean errors, later layers make up for earlier ones."""

import numpy as np
import pytest

from capacity.coding.calibration import Layer, Moments
from capacity.coding.layerwise import ObsPlan, best_step, quantised_layers
from capacity.coding.obs import distortion, obs
from capacity.coding.quantise import dequantised
from capacity.coding.rates import prices, two_sided_rates
from capacity.coding.search import coarsest_within

PLAN = ObsPlan()
LAYERS = [Layer("a/kernel", "a/bias", 0.5), Layer("b/kernel", "b/bias", 0.5)]


def dense_moments(inputs):
    return Moments(inputs.T.astype(np.float64) @ inputs / len(inputs), inputs.mean(0, np.float64))


def network(seed=0):
    """Inputs of mean 1, two layers with ReLU between them, and what the network says of them."""
    rng = np.random.default_rng(seed)
    inputs = (rng.normal(0, 1, (400, 6)) @ rng.normal(0, 1, (6, 12)) + 1).astype(np.float32)
    shapes = {"a/kernel": (12, 10), "a/bias": (10,), "b/kernel": (10, 3), "b/bias": (3,)}
    weights = {k: rng.normal(0, 0.5, shape).astype(np.float32) for k, shape in shapes.items()}
    return inputs, weights


def forward(weights, inputs):
    before = inputs @ weights["a/kernel"] + weights["a/bias"]
    hidden = np.maximum(before, 0)
    return before, hidden, hidden @ weights["b/kernel"] + weights["b/bias"]


def moments_of(inputs):
    def moments(weights, layer):
        hidden = forward(weights, inputs)[1]
        return dense_moments(inputs if layer.kernel == "a/kernel" else hidden)

    return moments


def quantised(weights, layers, rate_weight, moments, **options):
    known = {layer.kernel: moments(weights, layer) for layer in layers}
    return quantised_layers(weights, layers, rate_weight, known, moments, **options)


def slopes_of(inputs, wanted):
    """Half the mean squared error of the outputs, and its gradient."""

    def slopes(weights):
        before, hidden, outputs = forward(weights, inputs)
        error = (outputs - wanted).astype(np.float64) / len(inputs)
        inner = error @ weights["b/kernel"].T * (before > 0)
        gradient = {
            "a/kernel": inputs.T @ inner,
            "a/bias": inner.sum(0),
            "b/kernel": hidden.T @ error,
            "b/bias": error.sum(0),
        }
        return float(np.sum(error**2) * len(inputs) / 2), gradient

    return slopes


def decoded(coded):
    return {name: dequantised(quantised) for name, quantised in coded.items()}


def test_biases_take_up_the_mean_error_of_the_outputs():
    inputs, weights = network()
    coded = quantised(
        weights, LAYERS, 0.01, moments_of(inputs), plan=PLAN._replace(bias_step=2**-20)
    )
    assert list(coded) == list(weights)
    now = decoded(coded)
    mean = forward(weights, inputs)[0].mean(0)
    assert np.allclose(forward(now, inputs)[0].mean(0), mean, atol=1e-5)


def test_later_layers_see_what_the_quantised_ones_produce():
    inputs, weights = network()
    seen = []

    def moments(now, layer):
        seen.append((layer.kernel, dict(now)))
        return moments_of(inputs)(now, layer)

    coded = quantised(weights, LAYERS, 0.01, moments)
    assert [kernel for kernel, _ in seen] == ["a/kernel", "b/kernel", "b/kernel"]
    last = seen[-1][1]
    assert np.array_equal(last["a/kernel"], dequantised(coded["a/kernel"]))
    assert np.array_equal(last["b/kernel"], weights["b/kernel"])


def test_slopes_make_the_outputs_better():
    plan, losses = PLAN._replace(rounds=3), []
    for seed in range(4):
        inputs, weights = network(seed)
        slopes = slopes_of(inputs, forward(weights, inputs)[2])
        plain = quantised(weights, LAYERS, 0.05, moments_of(inputs))
        made_up = quantised(weights, LAYERS, 0.05, moments_of(inputs), slopes=slopes, plan=plan)
        losses.append([slopes(decoded(each))[0] for each in (plain, made_up)])
        assert losses[-1][1] < losses[-1][0]
    before, after = np.sum(losses, axis=0)
    assert after < 0.9 * before


def test_the_network_handed_in_stays_as_it_is_and_the_result_is_the_same_again():
    inputs, weights = network()
    before = {name: tensor.copy() for name, tensor in weights.items()}
    first, second = (quantised(weights, LAYERS, 0.01, moments_of(inputs)) for _ in range(2))
    for name, tensor in weights.items():
        assert np.array_equal(tensor, before[name])
        assert np.array_equal(first[name].symbols, second[name].symbols)


def test_a_layer_without_a_bias_and_a_kernel_of_four_axes():
    images = np.random.default_rng(0).normal(0, 1, (50, 18)).astype(np.float32)
    kernel = np.random.default_rng(1).normal(0, 1, (3, 3, 2, 4)).astype(np.float32)
    layers = [Layer("kernel", None)]
    coded = quantised({"kernel": kernel}, layers, 0.01, lambda *_: dense_moments(images))
    assert list(coded) == ["kernel"]
    assert coded["kernel"].symbols.shape == kernel.shape


def test_the_best_step_is_coarser_where_a_bit_is_dearer_and_no_worse_than_its_neighbours():
    inputs, weights = network()
    table, moment = weights["a/kernel"], dense_moments(inputs).inputs

    def coded(step):
        return obs(table, moment, step, 0.01, passes=1)

    def cost_at(dial):
        def cost(found):
            bits = prices(found.symbols, two_sided_rates(found.symbols)).sum()
            return distortion(dequantised(found) - table.astype(np.float64), moment) + dial * bits

        return cost

    fine, coarse = (best_step(table, coded, cost_at(dial)) for dial in (1e-4, 1.0))
    assert fine < coarse
    best, cost = best_step(table, coded, cost_at(0.01)), cost_at(0.01)
    scale = np.sqrt(np.mean(table.astype(np.float64) ** 2))
    assert cost(coded(best)) <= cost(coded(scale / 2)) + 1e-9


def test_steps_follow_the_loss_that_is_given():
    inputs, weights = network()
    layers = [layer._replace(step=None) for layer in LAYERS]
    far = quantised(weights, layers, 1e-6, moments_of(inputs), loss=lambda now: 0.0)
    wanted = forward(weights, inputs)[2]

    def loss(now):
        return float(np.mean((forward(now, inputs)[2] - wanted) ** 2))

    near = quantised(weights, layers, 1e-6, moments_of(inputs), loss=loss)
    assert all(near[layer.kernel].step < far[layer.kernel].step for layer in layers)


def test_the_search_ends_within_the_tolerance():
    made = []

    def make(dial):
        made.append(dial)
        return dial**2

    dial, result = coarsest_within(make, lambda loss: loss, 0.25, 1e-3, 10.0, trials=12)
    assert dial == pytest.approx(0.5, rel=0.01)
    assert dial <= 0.5
    assert result == dial**2
    assert len(made) == 14
    assert coarsest_within(make, lambda loss: loss, 0.25, 1.0, 10.0) is None
    assert coarsest_within(make, lambda loss: loss, 0.25, 0.1, 0.2) == (0.2, 0.2**2)


def test_a_network_that_is_exact_on_the_grid_has_nothing_to_make_up_for():
    """Its loss is 0 and its gradient is not: rounding leaves a little of it."""
    inputs, weights = network()
    exact = {name: np.zeros_like(w) for name, w in weights.items()}

    def slopes(now):
        return 0.0, {name: np.full(w.shape, 1e-8) for name, w in now.items()}

    coded = quantised(exact, LAYERS, 0.01, moments_of(inputs), slopes=slopes)
    assert all(not leaf.symbols.any() for leaf in coded.values())
