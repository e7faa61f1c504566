"""Taps: what they read is what the network computes, and a nudge is felt where it is given."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.models import Architecture, affine_layers, build, tapped

NETWORKS = {
    "mlp": ("mlp", 5.0, 2, (4, 4, 1)),
    "lenet5": ("lenet5", 0.1, None, (16, 16, 1)),
    "resnet": ("resnet", 0.25, 8, (8, 8, 3)),
}


@pytest.fixture(scope="module", params=NETWORKS)
def network(request):
    family, width, depth, shape = NETWORKS[request.param]
    model = build(Architecture(family, width, depth, 0.5, "relu", False, "he", shape, 3))
    x = jax.random.normal(jax.random.key(1), (4, *shape))
    return model, model.init(jax.random.key(0)), x


@pytest.fixture
def native(monkeypatch):
    """As on a device where convolutions are left to XLA."""
    monkeypatch.setattr("jax.default_backend", lambda: "gpu")


def test_layers_come_in_the_order_of_the_computation(network):
    model, params, _ = network
    layers = affine_layers(model)
    kernels = [layer.kernel for layer in layers]
    assert set(kernels) == {name for name in params if name.endswith("kernel")}
    assert kernels[-1] == "output/kernel"
    assert layers[-1].bias == "output/bias"
    assert all(layer.outputs[-1] == params[layer.kernel].shape[-1] for layer in layers)


def test_a_resnet_orders_its_shortcut_before_the_sum():
    kernels = [layer.kernel for layer in affine_layers(build(Architecture(
        "resnet", 0.25, 8, 0.5, "relu", False, "he", (8, 8, 3), 3
    )))]  # fmt: skip
    assert kernels.index("layers/1/shortcut/kernel") < kernels.index("layers/2/first/kernel")
    assert kernels[0] == "convolutions/0/kernel"


def test_logits_are_the_networks_own(network):
    model, params, x = network
    taps = tapped(model, params, x)
    logits, activations = model.apply(params, x)
    assert np.allclose(taps.logits, logits, atol=1e-5)
    assert set(taps.activations) == set(activations)
    for layer, outputs in activations.items():
        assert np.allclose(taps.activations[layer], outputs, atol=1e-5)


def test_the_last_layer_times_what_was_read_gives_the_logits(network):
    model, params, x = network
    logits, _, rows, _ = tapped(model, params, x)
    again = rows["output/kernel"] @ params["output/kernel"] + params["output/bias"][None]
    assert np.allclose(logits, again, atol=1e-5)


def test_what_a_layer_puts_out_is_its_inputs_times_its_kernel(network):
    model, params, x = network
    taps = tapped(model, params, x)
    for layer in affine_layers(model):
        kernel = params[layer.kernel]
        product = taps.inputs[layer.kernel] @ kernel.reshape(-1, kernel.shape[-1])
        assert taps.outputs[layer.kernel].shape == (4, *layer.outputs)
        assert np.allclose(taps.outputs[layer.kernel], product, atol=1e-4)


def test_convolutions_left_to_xla_are_read_alike(network, native):
    model, params, x = network
    kernels = [layer.kernel for layer in affine_layers(model)]
    logits, _, rows, _ = tapped(model, params, x)
    assert list(rows) == kernels
    for kernel in kernels:
        assert rows[kernel].shape[-1] == params[kernel].size // params[kernel].shape[-1]
    assert np.allclose(logits, model.apply(params, x)[0], atol=1e-5)


def test_the_gradient_by_a_nudge_times_the_inputs_is_that_by_the_kernel(network):
    model, params, x = network
    shapes = {layer.kernel: layer.outputs for layer in affine_layers(model)}
    nothing = {name: jnp.zeros((len(x), *shape)) for name, shape in shapes.items()}

    def loss(params, nudges):
        logits, _, rows, _ = tapped(model, params, x, nudges)
        return jnp.sum(jnp.sin(logits)), rows

    (by_params, by_nudges), rows = jax.grad(loss, (0, 1), has_aux=True)(params, nothing)
    for name, slope in by_nudges.items():
        flat = rows[name].reshape(-1, rows[name].shape[-1])
        product = flat.T @ slope.reshape(-1, slope.shape[-1])
        assert np.allclose(product.reshape(params[name].shape), by_params[name], atol=1e-4)
