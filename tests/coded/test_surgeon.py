"""Networks by OBS: bits against divergence, against nearest rounding, and of every architecture."""

import jax
import numpy as np
import pytest

from capacity.coded.calibrating import calibration, divergence
from capacity.coded.surgeon import surgeon
from capacity.coding import dequantised, encode, uniform
from capacity.coding.layerwise import ObsPlan
from capacity.models import Architecture, build


def network(family, width, depth, shape):
    model = build(Architecture(family, width, depth, 0.5, "relu", False, "he", shape, 4))
    params = {n: np.asarray(p) for n, p in model.init(jax.random.key(0)).items()}
    # Inputs on a few directions, as images are: a quantiser that knows them gains by it.
    flat = jax.random.normal(jax.random.key(1), (500, 6))
    spread = jax.random.normal(jax.random.key(2), (6, int(np.prod(shape))))
    return model, params, (flat @ spread).reshape(500, *shape)


def decoded(leaves):
    return {name: dequantised(leaf) for name, leaf in leaves.items()}


@pytest.fixture(scope="module")
def mlp():
    model, params, inputs = network("mlp", 12.0, 2, (5, 5, 1))
    return model, params, inputs, surgeon(model, params, inputs, jax.random.key(3))


def test_every_tensor_comes_back_in_its_shape(mlp):
    _, params, _, quantised = mlp
    leaves = quantised(1e-4)
    assert list(leaves) == list(params)
    assert all(leaves[n].symbols.shape == params[n].shape for n in params)


def test_dearer_bits_make_shorter_files_further_from_the_network(mlp):
    model, params, inputs, quantised = mlp
    data = calibration(model, params, inputs)
    fine, coarse = quantised(1e-5), quantised(1e-2)
    assert len(encode(coarse)) < len(encode(fine))
    near, far = (divergence(model, decoded(each), data) for each in (fine, coarse))
    assert near < far


def test_it_beats_nearest_rounding_of_as_many_bytes(mlp):
    model, params, inputs, quantised = mlp
    data = calibration(model, params, inputs)
    ours = quantised(1e-4)
    size = len(encode(ours))
    for step in np.geomspace(0.05, 2, 30):
        theirs = {n: uniform(p, step * max(float(p.std()), 0.1), n) for n, p in params.items()}
        if len(encode(theirs)) <= size:
            break
    else:
        pytest.fail("no step makes a file as short")
    assert divergence(model, decoded(ours), data) < divergence(model, decoded(theirs), data)


def test_a_network_with_normalisation_and_shortcuts():
    model, params, inputs = network("resnet", 0.25, 8, (8, 8, 3))
    leaves = surgeon(model, params, inputs[:100], jax.random.key(3))(1e-4, ObsPlan(rounds=1))
    assert list(leaves) == list(params)
    assert np.abs(decoded(leaves)["layers/0/first/norm/scale"] - 1).max() < 1 / 32
