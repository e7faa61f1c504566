"""Measures of weights as columns: which weights count, how they are pooled, what stays empty."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from capacity.coding import tensor_step, uniform
from capacity.config import Config
from capacity.information.curvature import Krylov
from capacity.measured.trained import Trained
from capacity.measured.weights import NO_LAYER, layer_measures, network_measures


def drawn(seed, scale=1.0):
    draw = np.random.default_rng(seed)
    shapes = {"layers/0/kernel": (30, 40), "layers/0/bias": (40,), "output/bias": (1,)}
    return {n: (scale * draw.normal(size=s)).astype(np.float32) for n, s in shapes.items()}


def quantised(weights):
    return {name: uniform(w, tensor_step(w, 0.5)) for name, w in weights.items()}


def network(weights, layers, mask, **beyond):
    trained = Trained(
        initial=weights, curvature=None, fisher=None, coded_loss=0.5, coded_accuracy=0.9
    )
    return network_measures(
        Config(), trained._replace(**beyond), weights, mask, layers, size=100, examples=1000
    )


def test_pruned_weights_count_nowhere_but_in_the_file():
    weights, initial = drawn(0), drawn(1)
    mask = {"layers/0/kernel": np.random.default_rng(2).random((30, 40)) < 0.3}
    other = {name: w.copy() for name, w in weights.items()}
    other["layers/0/kernel"][~mask["layers/0/kernel"]] = 7
    found, same = (layer_measures(w, initial, mask, None) for w in (weights, other))
    assert found == same
    assert found["layers/0/kernel"].context_entropy is None
    kept = weights["layers/0/kernel"][mask["layers/0/kernel"]]
    alone = layer_measures(
        {"w": kept}, {"w": initial["layers/0/kernel"][mask["layers/0/kernel"]]}, {}, None
    )
    # All but the null that is pruned too, which knows how many are gone.
    sparse = [name for name in asdict(NO_LAYER) if name.endswith("_over_pruned")]
    for_all = dict.fromkeys(sparse)
    assert replace(alone["w"], **for_all) == replace(found["layers/0/kernel"], **for_all)
    assert alone["w"].plain_entropy_over_pruned == alone["w"].plain_entropy_over_gaussian
    assert found["layers/0/kernel"].plain_entropy_over_pruned > 0.2


def test_a_network_is_the_mean_of_its_weights():
    weights, initial = drawn(0, 2.0), drawn(1)
    mask = {"layers/0/kernel": np.random.default_rng(2).random((30, 40)) < 0.3}
    layers = layer_measures(weights, initial, mask, quantised(weights))
    found = network(weights, layers, mask)
    kernel, bias = layers["layers/0/kernel"], layers["layers/0/bias"]
    kept = int(mask["layers/0/kernel"].sum())
    for name in ("plain_entropy", "plain_entropy_over_initial", "exponent_entropy_over_gaussian"):
        mean = (kept * getattr(kernel, name) + 40 * getattr(bias, name)) / (kept + 40)
        assert getattr(found, name) == pytest.approx(mean)
    total = sum(w.size * layers[n].context_entropy for n, w in weights.items())
    assert found.context_entropy == pytest.approx(total / 1241)


def test_what_cannot_be_had_is_empty():
    """One weight, none that remains, all equal, no curvature: None and never 0."""
    weights = drawn(0) | {"gone": np.zeros((9, 9), np.float32), "scale": np.ones(9, np.float32)}
    mask = {"gone": np.zeros((9, 9), bool)}
    layers = layer_measures(weights, weights, mask, None)
    assert layers["gone"] == NO_LAYER
    for name in ("output/bias", "scale"):
        assert layers[name] == replace(NO_LAYER, movement=0.0)
    assert layers["layers/0/kernel"].plain_entropy_over_initial == 0
    few = layer_measures(
        {"w": np.arange(3, dtype=np.float32)}, {"w": np.ones(3, np.float32)}, {}, None
    )
    assert few["w"].differential_entropy is None
    assert few["w"].plain_entropy > 0
    found = asdict(network(weights, dict.fromkeys(weights, NO_LAYER), mask, coded_loss=math.inf))
    there = {name for name, value in found.items() if value is not None}
    assert there == {"coded_train_accuracy", "message_bits", "error_bound"}


def test_a_network_without_curvature_has_no_effective_parameters():
    weights = drawn(0)
    layers = layer_measures(weights, weights, {}, None)
    flat = Krylov(np.zeros((2, 3)), np.zeros((2, 2)), np.ones(2))
    assert network(weights, layers, {}, curvature=flat).effective_parameters is None
    lost = flat._replace(diagonal=np.full((2, 3), np.nan))
    assert network(weights, layers, {}, curvature=lost).effective_parameters is None
    # Three eigenvalues of 2 that each probe sees in full, at the evidence's precision.
    round_ = Krylov(np.full((2, 1), 2.0), np.zeros((2, 0)), np.full(2, 3.0))
    found = network(weights, layers, {}, curvature=round_)
    squares = sum(float(np.sum(w.astype(float) ** 2)) for w in weights.values())
    assert found.effective_parameters == pytest.approx(found.prior_precision * squares)
    assert found.effective_parameters == pytest.approx(6 / (2 + found.prior_precision))
    assert found.effective_parameters_error == 0


def test_the_file_and_what_it_says_by_hand():
    weights = drawn(0)
    found = network(weights, layer_measures(weights, weights, {}, None), {})
    assert found.two_part_bits == 8 * 100 + 0.5 * 1000
    assert found.message_bits == 800 + 11  # of one codec
    assert 0.1 < found.error_bound < 0.9


def test_movement_is_the_relative_distance_from_the_start():
    """From (3, 4) by (0, 5): as far as it was from 0. A bias starts at 0 and has none."""
    trained = {"w": np.array([3, 9], np.float32), "b": np.array([1, 2], np.float32)}
    initial = {"w": np.array([3, 4], np.float32), "b": np.zeros(2, np.float32)}
    found = layer_measures(trained, initial, {}, None)
    assert found["w"].movement == pytest.approx(1.0)
    assert found["b"].movement is None


def test_a_weight_is_negligible_below_a_bit_of_all_labels():
    """100 examples, h = 0.01 nats: 1 / 2 w^2 nats, a bit at w^2 = 2 ln 2 = 1.386."""
    trained = {"w": np.array([0.5, -1.1, 1.2, 3.0], np.float32)}
    fisher = {"w": np.full(4, 0.01, np.float32)}
    found = layer_measures(trained, trained, {}, None, fisher, 100)
    assert found["w"].negligible_share == pytest.approx(0.5)
    assert layer_measures(trained, trained, {}, None)["w"].negligible_share is None
