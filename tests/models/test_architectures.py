"""Networks: sizes counted by hand, numpy references of the forward pass, and their start."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import correlate2d

from capacity.models import (
    Architecture,
    ModelError,
    build,
    is_output,
    layer_outputs,
    layer_parameters,
    parameter_shapes,
)


def architecture(family="mlp", width=1.0, shape=(28, 28, 1), **others):
    options = {"depth": None, "taper": 1.0, "activation": "relu", "layer_norm": False}
    options |= {"initialisation": "glorot", "class_count": 10} | others
    return Architecture(family=family, width=width, input_shape=shape, **options)


LENET_300_100 = architecture("mlp", 300.0, depth=2, taper=1 / 3)
CIFAR = (32, 32, 3)
SMALL = {
    "mlp": architecture("mlp", 7.0, (4, 4, 2), layer_norm=True, activation="tanh"),
    "lenet5": architecture("lenet5", 0.1, (20, 18, 2)),
    "conv4": architecture("conv4", 0.05, (9, 8, 3)),
    "vgg": architecture("vgg", 0.03, CIFAR),
    "resnet": architecture("resnet", 0.25, (8, 8, 3), depth=8),
}


def network(family, count=5):
    model = build(SMALL[family])
    draw = np.random.default_rng(0)
    x = draw.normal(size=(count, *model.input_shape))
    # Not the initial weights: biases of zero and scales of one would hide a mistake with them.
    params = {
        n: jnp.asarray(
            draw.normal(size=p.shape) / np.sqrt(max(1, p.size / p.shape[-1])), jnp.float32
        )
        for n, p in shapes(model).items()
    }
    return model, params, jnp.asarray(x, jnp.float32)


def shapes(model):
    return jax.eval_shape(model.init, jax.random.key(0))


@pytest.mark.parametrize(
    ("wanted", "parameters"),
    [
        (LENET_300_100, 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10),
        (
            architecture("mlp", 10.0, (20,), depth=3),
            20 * 10 + 10 + 2 * (10 * 10 + 10) + 10 * 10 + 10,
        ),
        (architecture("mlp", 10.0, (20,), depth=1, layer_norm=True), 210 + 20 + 110),
        (architecture("mlp", 64.0, (20,), widths=(7, 3)), 20 * 7 + 7 + 7 * 3 + 3 + 3 * 10 + 10),
        (architecture("lenet5"), 431_080),
        (architecture("conv2", shape=CIFAR), 4_301_642),
        (architecture("conv4", shape=CIFAR), 2_425_930),
        (architecture("conv6", shape=CIFAR), 2_262_602),
        # 9,217,728 in the convolutions, 2 * 2,752 in the norms, 5,130 in the output.
        (architecture("vgg", shape=CIFAR), 9_228_362),
        # The 269,722 of He et al. (2016) and two projections with norms: 576 + 2,176.
        (architecture("resnet", shape=CIFAR), 272_474),
    ],
    ids=lambda value: value.family if isinstance(value, Architecture) else None,
)
def test_parameters_counted_by_hand(wanted, parameters):
    model = build(wanted)
    assert sum(leaf.size for leaf in shapes(model).values()) == parameters
    assert sum(layer_parameters(model).values()) == parameters


def test_lenet_300_100_has_266_610_weights_in_three_layers():
    model = build(LENET_300_100)
    assert layer_parameters(model) == {"layers/0": 235_500, "layers/1": 30_100, "output": 1_010}
    assert layer_outputs(model) == {"layers/0": 300, "layers/1": 100, "output": 10}
    assert sum(layer_parameters(model).values()) == 266_610


@pytest.mark.parametrize("family", SMALL)
def test_params_and_activations_are_flat_and_named_by_layer(family):
    model = build(SMALL[family])
    params, x = shapes(model), jax.ShapeDtypeStruct((5, *model.input_shape), jnp.float32)
    logits, activations = jax.eval_shape(model.apply, params, x)
    assert all(p.dtype == jnp.float32 for p in params.values())
    assert {n.rpartition("/")[2] for n in params} <= {"kernel", "bias", "scale"}
    assert logits.shape == activations["output"].shape == (5, 10)
    assert [n for n in params if is_output(n)] == ["output/bias", "output/kernel"]
    # Every tensor belongs to a layer that has activations, and the other way round.
    assert set(activations) == set(layer_parameters(model))
    assert all(any(n.startswith(f"{layer}/") for n in params) for layer in activations)
    for layer, size in layer_outputs(model).items():
        assert activations[layer].shape[0] == 5
        assert activations[layer].size == 5 * size
        if layer.startswith("convolutions/"):  # height, width, channel
            assert activations[layer].ndim == 4


@pytest.mark.parametrize("family", SMALL)
def test_shapes_are_those_of_initial_weights_and_nobody_changes_them(family):
    model = build(SMALL[family])
    found = jax.jit(lambda x: x * sum(p.size for p in parameter_shapes(model).values()))(1)
    assert parameter_shapes(model) == shapes(model)
    assert int(found) == sum(p.size for p in shapes(model).values())
    parameter_shapes(model).clear()
    assert parameter_shapes(model)


def test_layers_are_in_order_from_input_to_output():
    assert list(layer_parameters(build(architecture("mlp", 3.0, depth=12)))) == [
        *(f"layers/{i}" for i in range(12)),
        "output",
    ]
    # The 28 x 28 images give 24, 12, 8 and 4 a side; what is handed on is pooled.
    assert layer_outputs(build(architecture("lenet5"))) == {
        "convolutions/0": 12 * 12 * 20,
        "convolutions/1": 4 * 4 * 50,
        "layers/0": 500,
        "output": 10,
    }


def test_an_mlp_is_matrix_products():
    """Flattening, affine map, LayerNorm (epsilon 1e-6), tanh; twice; affine map."""
    model, params, x = network("mlp")
    p = {name: np.asarray(value, np.float64) for name, value in params.items()}
    logits, activations = jax.jit(model.apply)(params, x)
    h = np.asarray(x, np.float64).reshape(5, -1)
    for layer in ("layers/0", "layers/1"):
        z = h @ p[f"{layer}/kernel"] + p[f"{layer}/bias"]
        z = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-6)
        h = np.tanh(z * p[f"{layer}/norm/scale"] + p[f"{layer}/norm/bias"])
        np.testing.assert_allclose(activations[layer], h, atol=1e-5)
    h = h @ p["output/kernel"] + p["output/bias"]
    np.testing.assert_allclose(logits, h, atol=1e-5)
    np.testing.assert_array_equal(activations["output"], logits)


def test_lenet5_is_convolutions_and_maxima():
    """5 x 5 convolutions without padding, ReLU, 2 x 2 maxima; twice; two affine maps."""
    model, params, x = network("lenet5")
    p = {name: np.asarray(value, np.float64) for name, value in params.items()}
    expected = []
    for image in np.asarray(x, np.float64):
        h = image
        for i in range(2):
            kernel = p[f"convolutions/{i}/kernel"]  # height, width, in, out
            maps = [
                sum(
                    correlate2d(h[:, :, c], kernel[:, :, c, o], mode="valid")
                    for c in range(kernel.shape[2])
                )
                + p[f"convolutions/{i}/bias"][o]
                for o in range(kernel.shape[3])
            ]
            h = np.maximum(np.stack(maps, axis=-1), 0)
            height, width = h.shape[0] // 2, h.shape[1] // 2
            h = h[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1).max(axis=(1, 3))
        h = np.maximum(h.ravel() @ p["layers/0/kernel"] + p["layers/0/bias"], 0)
        expected.append(h @ p["output/kernel"] + p["output/bias"])
    logits, activations = jax.jit(model.apply)(params, x)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(activations["output"], logits)


@pytest.mark.parametrize("family", SMALL)
def test_an_example_alone_is_the_example_in_a_batch(family):
    """No layer mixes examples: a network has no running state and no batch statistics."""
    model, params, x = network(family)
    apply = jax.jit(model.apply)
    together, _ = apply(params, x)
    alone, _ = apply(params, x[3:4])
    np.testing.assert_allclose(alone[0], together[3], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("initialisation", ["glorot", "he", "lecun", "pytorch"])
def test_kernels_start_with_the_variance_of_their_name(initialisation):
    fan_in, fan_out = 784, 300
    published = {
        "glorot": 2 / (fan_in + fan_out),
        "he": 2 / fan_in,
        "lecun": 1 / fan_in,
        "pytorch": 1 / (3 * fan_in),
    }
    model = build(LENET_300_100._replace(initialisation=initialisation))
    kernel = np.asarray(model.init(jax.random.key(0))["layers/0/kernel"], np.float64)
    # The mean square of n Gaussian numbers has a relative deviation of sqrt(2 / n): five of them.
    ratio = np.mean(kernel**2) / published[initialisation]
    assert ratio == pytest.approx(1, abs=5 * np.sqrt(2 / kernel.size))
    assert np.mean(kernel) == pytest.approx(0, abs=5 * np.std(kernel) / np.sqrt(kernel.size))


def test_convolutions_count_their_field_in_the_fans():
    model = build(architecture("lenet5"))
    kernel = np.asarray(model.init(jax.random.key(0))["convolutions/1/kernel"], np.float64)
    assert kernel.shape == (5, 5, 20, 50)
    ratio = np.mean(kernel**2) / (2 / (25 * 20 + 25 * 50))
    assert ratio == pytest.approx(1, abs=5 * np.sqrt(2 / kernel.size))


@pytest.mark.parametrize("family", ["mlp", "lenet5", "resnet"])
def test_biases_start_at_zero_and_scales_at_one(family):
    params = jax.jit(build(SMALL[family]).init)(jax.random.key(3))
    for name, value in params.items():
        if name.endswith("bias"):
            assert not np.any(value)
        if name.endswith("scale"):
            assert np.all(np.asarray(value) == 1)


def test_equal_architectures_are_one_model():
    assert build(architecture("lenet5")) is build(architecture("lenet5"))
    assert build(architecture("lenet5")) is not build(architecture("lenet5", 0.5))


def test_no_layer_is_without_channels():
    """However small the multiplier or the taper."""
    sizes = layer_outputs(build(architecture("mlp", 2.0, depth=4, taper=0.1)))
    assert list(sizes.values()) == [2, 1, 1, 1, 10]
    assert layer_outputs(build(architecture("conv2", 0.001)))["convolutions/0"] == 28 * 28


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (architecture("lenet5", shape=(20,)), "lenet5 needs images, these inputs are (20,)"),
        (architecture("resnet", shape=(4, 4)), "resnet needs images, these inputs are (4, 4)"),
        (
            architecture("lenet5", shape=(8, 8, 1)),
            "images of 8 x 8 are too small for 2 poolings",
        ),
        (
            architecture("vgg", shape=(32, 16, 3)),
            "images of 32 x 16 are too small for 5 poolings",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_named(wrong, sentence):
    with pytest.raises(ModelError) as raised:
        build(wrong)
    assert str(raised.value) == sentence
