"""Calibration: moments against plain numpy, Fisher information against its definition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.coded.calibrating import (
    calibration,
    divergence,
    divergence_slopes,
    gradient_moments,
    input_moments,
)
from capacity.models import Architecture, affine_layers, build, tapped


@pytest.fixture(scope="module")
def mlp():
    model = build(Architecture("mlp", 5.0, 1, 1.0, "relu", False, "he", (4, 4, 1), 3))
    params = model.init(jax.random.key(0))
    return model, params, jax.random.normal(jax.random.key(1), (600, 4, 4, 1))


def test_a_batch_that_is_not_full_is_left_out(mlp):
    data = calibration(*mlp)
    assert data.inputs.shape == (1, 500, 4, 4, 1)
    assert data.samples == 500
    assert np.allclose(np.exp(data.wanted).sum(-1), 1, atol=1e-5)


def test_moments_of_a_dense_layers_inputs(mlp):
    model, params, inputs = mlp
    data = calibration(*mlp)
    hidden, output = affine_layers(model)
    flat = np.asarray(inputs[:500].reshape(500, 16), np.float64)
    found = input_moments(model, hidden, params, data)
    assert np.allclose(found.inputs, flat.T @ flat / 500, atol=1e-5)
    assert np.allclose(found.mean, flat.mean(0), atol=1e-6)
    assert found.places == 1
    after = np.maximum(flat @ params["layers/0/kernel"], 0)
    found = input_moments(model, output, params, data)
    assert np.allclose(found.inputs, after.T @ after / 500, atol=1e-4)


def test_moments_of_a_convolutions_patches_are_means_over_places():
    model = build(Architecture("lenet5", 0.1, None, 1.0, "relu", False, "he", (16, 16, 1), 3))
    params = model.init(jax.random.key(0))
    data = calibration(model, params, jax.random.normal(jax.random.key(1), (8, 16, 16, 1)))
    first = affine_layers(model)[0]
    rows = np.asarray(tapped(model, params, data.inputs[0]).inputs[first.kernel], np.float64)
    found = input_moments(model, first, params, data)
    flat = rows.reshape(-1, 25)
    assert np.allclose(found.inputs, flat.T @ flat / len(flat), atol=1e-5)
    assert found.places == 12 * 12


def test_the_fisher_information_of_logits_is_the_covariance_of_a_one_hot_label(mlp):
    """E (e_y - p)(e_y - p)' = diag p - p p', to the deviation of 500 draws, 0.5 / sqrt(500)."""
    model, params, _ = mlp
    data = calibration(*mlp)
    found = gradient_moments(model, params, data, jax.random.key(2))["output/kernel"]
    p = np.exp(np.asarray(data.wanted[0], np.float64))
    expected = np.diag(p.mean(0)) - p.T @ p / len(p)
    assert np.abs(found - expected).max() < 4 * 0.5 / np.sqrt(500)
    assert np.abs(found.sum(0)).max() < 1e-5


def test_no_divergence_from_itself_and_its_gradient_elsewhere(mlp):
    model, params, _ = mlp
    data = calibration(*mlp)
    itself, slopes = divergence_slopes(model, params, data)
    assert itself == pytest.approx(0, abs=1e-6)
    assert divergence(model, params, data) == pytest.approx(itself, abs=1e-6)
    assert all(np.abs(slope).max() < 1e-6 for slope in slopes.values())
    moved = params | {"output/bias": params["output/bias"] + jnp.array([0.5, 0.0, -0.5])}
    above, slopes = divergence_slopes(model, moved, data)
    p, q = (
        np.exp(np.asarray(jax.nn.log_softmax(model.apply(each, data.inputs[0])[0]), np.float64))
        for each in (params, moved)
    )
    assert above == pytest.approx(np.mean(np.sum(p * np.log(p / q), axis=1)), rel=1e-4)
    assert np.allclose(slopes["output/bias"], (q - p).mean(0), atol=1e-5)
