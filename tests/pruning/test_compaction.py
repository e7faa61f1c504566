"""A compact network computes what the pruned one does, and costs what is left."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.models import Architecture, affine_layers, build, interchangeable
from capacity.pruning import Cost, compacted, cost, savings

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}
BASE = {
    "family": "mlp",
    "width": 10,
    "depth": 3,
    "taper": 1.0,
    "activation": "relu",
    "layer_norm": False,
    "initialisation": "he",
    "input_shape": (4, 4, 1),
    "class_count": 3,
}
SETTINGS = {
    "relu": {},
    "tanh": {"activation": "tanh"},
    "sigmoid": {"activation": "sigmoid"},
    "layer norm": {"layer_norm": True},
    "lenet5": {
        "family": "lenet5",
        "width": 0.2,
        "activation": "tanh",
        "input_shape": (16, 16, 1),
    },
    "conv4": {
        "family": "conv4",
        "width": 0.1,
        "activation": "sigmoid",
        "input_shape": (8, 8, 3),
    },
}


def pruned_network(setting, share=0.85, seed=0):
    """A model with drawn weights and biases, most weights pruned and some units cut off."""
    model = build(Architecture(**(BASE | SETTINGS[setting])))
    draw = np.random.default_rng(seed)
    shapes = {n: p.shape for n, p in jax.eval_shape(model.init, jax.random.key(0)).items()}
    params = {n: draw.normal(size=s).astype(np.float32) for n, s in shapes.items()}
    mask = {n: draw.random(s) > share for n, s in shapes.items() if n.endswith("kernel")}
    for units in interchangeable(model):
        kernel, used = units.outputs[0].tensor, units.inputs[0].tensor
        width = shapes[kernel][-1]
        mask[kernel][..., 0] = False
        rows = np.arange(shapes[used][-2]) % width == 1
        mask[used][..., rows, :] = False
    params = {n: np.where(mask[n], p, 0) if n in mask else p for n, p in params.items()}
    return model, params, mask


def logits(model, params, seed=1, count=6):
    x = np.random.default_rng(seed).normal(size=(count, *model.input_shape)).astype(np.float32)
    # In float64, so that sums in another order do not hide a difference.
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        exact = {n: jnp.asarray(p, jnp.float64) for n, p in params.items()}
        return np.asarray(model.apply(exact, jnp.asarray(x, jnp.float64))[0])


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_function_stays(setting):
    model, params, mask = pruned_network(setting)
    layers = interchangeable(model)
    activation = ACTIVATIONS[str((BASE | SETTINGS[setting])["activation"])]
    compact = compacted(params, mask, layers, activation, padded=setting == "conv4")
    # Biases that took up a constant were rounded to float32.
    np.testing.assert_allclose(
        logits(model, compact.params), logits(model, params), rtol=1e-5, atol=1e-5
    )
    smaller = [
        u.size < params[layer.outputs[0].tensor].shape[-1]
        for u, layer in zip(compact.units, layers, strict=True)
    ]
    assert all(smaller) != (setting == "layer norm")
    for name, m in compact.mask.items():
        assert m.shape == compact.params[name].shape
        assert not np.any(compact.params[name][~m])


@pytest.mark.parametrize("setting", ["relu", "tanh"])
def test_no_useless_unit_is_left(setting):
    model, params, mask = pruned_network(setting)
    layers = interchangeable(model)
    compact = compacted(params, mask, layers, ACTIVATIONS[setting], padded=True)
    for units in layers:
        assert compact.mask[units.outputs[0].tensor].any(axis=0).all()
        assert compact.mask[units.inputs[0].tensor].any(axis=1).all()
    again = compacted(compact.params, compact.mask, layers, ACTIVATIONS[setting], padded=True)
    for name, value in compact.params.items():
        np.testing.assert_array_equal(again.params[name], value)


def test_a_constant_unit_by_hand():
    """One input, two hidden units, one output: the second unit is always tanh(0.5)."""
    model = build(
        Architecture(**(BASE | {"width": 2, "depth": 1, "class_count": 1, "input_shape": (1,)}))
    )
    params = {
        "layers/0/kernel": np.array([[2.0, 0.0]], np.float32),
        "layers/0/bias": np.array([0.1, 0.5], np.float32),
        "output/kernel": np.array([[3.0], [4.0]], np.float32),
        "output/bias": np.array([1.0], np.float32),
    }
    mask = {"layers/0/kernel": np.array([[True, False]]), "output/kernel": np.ones((2, 1), bool)}
    compact = compacted(params, mask, interchangeable(model), jnp.tanh, padded=True)
    assert compact.units[0].tolist() == [0]
    assert compact.params["layers/0/kernel"].tolist() == [[2.0]]
    assert compact.params["output/kernel"].tolist() == [[3.0]]
    np.testing.assert_allclose(compact.params["output/bias"], [1 + 4 * np.tanh(0.5)], rtol=1e-6)
    # A bias that was pruned takes the constant up all the same.
    mask["output/bias"] = np.zeros(1, bool)
    compact = compacted(params, mask, interchangeable(model), jnp.tanh, padded=True)
    np.testing.assert_allclose(compact.params["output/bias"], [4 * np.tanh(0.5)], rtol=1e-6)
    assert compact.mask["output/bias"].tolist() == [True]


def test_one_dead_layer_empties_those_before_and_behind():
    """Nothing gets through the second of three layers: a unit is left in each, and a constant."""
    model, params, mask = pruned_network("tanh", share=0.2)
    mask["layers/1/kernel"][:] = False
    params["layers/1/kernel"] = np.zeros_like(params["layers/1/kernel"])
    compact = compacted(params, mask, interchangeable(model), jnp.tanh, padded=True)
    assert [u.size for u in compact.units] == [1, 1, 1]
    found = logits(model, compact.params)
    np.testing.assert_allclose(found, logits(model, params), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found, np.broadcast_to(found[:1], found.shape))


def test_a_padded_constant_stays_unless_it_is_zero():
    """Channel 0 has no inputs: sigmoid of its bias is seen by a padding convolution, 0 is not."""
    model, params, mask = pruned_network("conv4", share=0.0)
    layers = interchangeable(model)
    sigmoid = compacted(params, mask, layers, jax.nn.sigmoid, padded=True)
    assert 0 in sigmoid.units[0]
    # The last convolution's goes into a dense layer, which has no border.
    assert 0 not in sigmoid.units[3]
    params["convolutions/0/bias"][0] = -1.0
    assert 0 not in compacted(params, mask, layers, jax.nn.relu, padded=True).units[0]


def test_widths_that_members_share():
    model, params, mask = pruned_network("relu")
    layers = interchangeable(model)
    compact = compacted(params, mask, layers, jax.nn.relu, padded=True, widths=[9, 9, 2])
    assert [u.size for u in compact.units[:2]] == [9, 9]
    np.testing.assert_allclose(
        logits(model, compact.params), logits(model, params), rtol=1e-5, atol=1e-5
    )


def test_costs_by_hand():
    """A convolution of 2 x 2 x 1 x 3 at nine places, and a dense layer of 12 x 2, with biases."""
    params = {
        "c/kernel": np.zeros((2, 2, 1, 3)),
        "c/bias": np.zeros(3),
        "output/kernel": np.zeros((12, 2)),
        "output/bias": np.zeros(2),
    }
    mask = {name: np.zeros(params[name].shape, bool) for name in ("c/kernel", "output/kernel")}
    mask["c/kernel"][..., 0] = True
    mask["output/kernel"][:4] = True
    compact = {"c/kernel": np.zeros((2, 2, 1, 1)), "c/bias": np.zeros(1)}
    compact |= {"output/kernel": np.zeros((4, 2)), "output/bias": np.zeros(2)}
    found = savings(params, mask, compact, {"c/kernel": 9})
    assert found.original == cost(params, {}, {"c/kernel": 9}) == Cost(12 + 3 + 24 + 2, 108 + 24)
    assert found.sparse == Cost(4 + 3 + 8 + 2, 36 + 8)
    assert found.compact == Cost(4 + 1 + 8 + 2, 36 + 8)
    assert found.compression == 41 / 17
    assert found.speed_up == found.compact_speed_up == 3
    nothing = {name: np.zeros_like(m) for name, m in mask.items()}
    assert savings(params, nothing, compact).speed_up == float("inf")


def test_places_are_those_of_the_affine_layers():
    """LeNet-5 at 16 x 16: 12 x 12 and 2 x 2 places of its convolutions."""
    model, params, _ = pruned_network("lenet5")
    places = {layer.kernel: int(np.prod(layer.outputs[:-1])) for layer in affine_layers(model)}
    found = cost(params, {}, places)
    assert found.multiply_adds == 144 * 25 * 4 + 4 * 25 * 4 * 10 + 10 * 100 + 100 * 3
