"""Training without useless units gives the networks that training with them gives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import training
from capacity.lottery import dense_mask
from capacity.models import Architecture, build, interchangeable
from capacity.pruning import unit_mask
from capacity.training import Examples, Plan, Rates, Rule, Watch, narrow

SHAPES = {"mlp": (6, 6, 1), "conv2": (8, 8, 1), "lenet5": (16, 16, 1)}
SEEDS = range(2)


def network(family):
    return build(
        Architecture(
            family=family,
            width=9.0 if family == "mlp" else 0.12,
            depth=2,
            taper=0.8,
            activation="tanh",
            layer_norm=False,
            initialisation="glorot",
            input_shape=SHAPES[family],
            class_count=3,
        )
    )


def examples(model, count, seed):
    draw = np.random.default_rng(seed)
    inputs = draw.normal(size=(count, *model.input_shape)).astype(np.float32)
    labels = draw.integers(0, 3, count, dtype=np.int32)
    return Examples(jnp.asarray(inputs), jnp.asarray(labels), jnp.float32(0), jnp.float32(1))


def half_of_the_units(model, params):
    """Other units of each member, and one more of the first."""
    layers = interchangeable(model)
    shapes = {name: leaf.shape[1:] for name, leaf in params.items()}
    masks = []
    for member in SEEDS:
        draw = np.random.default_rng(member)
        widths = [shapes[units.outputs[0].tensor][-1] for units in layers]
        stay = [draw.permutation(width) < (width + 1) // 2 + (member == 0) for width in widths]
        masks.append(unit_mask([jnp.asarray(own) for own in stay], layers, shapes))
    stacked = jax.tree.map(lambda *own: jnp.stack(own), *masks)
    return {name: m & stacked[name] for name, m in dense_mask(params).items()}


def trained(model, params, mask, units, rule):
    rate = 0.1 if rule.optimizer == "sgd" else 0.003
    rates = Rates(jnp.float32(rate), jnp.float32(0), jnp.int32(0), jnp.int32(12))
    plan = Plan(rates, jnp.int32(60), jnp.int32(3), units=units)
    keys = training.member_keys(SEEDS, "order")
    train, validation = examples(model, 60, 0), examples(model, 40, 1)
    found = training.train(
        model, rule, plan, train, validation, params, mask, keys, 4, chunk=2, watch=Watch(20)
    )
    reports = training.all_reports(Watch(20), found.state.watched)
    return found._replace(state=found.state._replace(watched=reports))


@pytest.mark.parametrize(
    ("family", "rule"),
    [
        ("mlp", Rule(batch_size=10)),
        ("mlp", Rule(batch_size=10, optimizer="sgd", clip_norm=0.5)),
        ("conv2", Rule(batch_size=10)),
        ("lenet5", Rule(batch_size=10)),
    ],
    ids=["mlp", "mlp-sgd-clipped", "conv2", "lenet5"],
)
def test_the_networks_are_the_same(family, rule):
    """Weights, moments, curves and saturation; what is left out is as it was."""
    model = network(family)
    params = training.initial(model, training.member_keys(SEEDS, "initial"))
    mask = half_of_the_units(model, params)
    units = narrow.trained_units(model, mask)
    assert units is not None
    for own, layer in zip(units, interchangeable(model), strict=True):
        width = params[layer.outputs[0].tensor].shape[-1]
        assert 0 <= own.shape[1] - ((width + 1) // 2 + 1) < max(1, width // narrow.PARTS)
    narrowed = trained(model, params, mask, units, rule)
    whole = trained(model, params, mask, None, rule)
    # Sums are in another order; weights move by 0.01 and more.
    for (path, a), b in zip(
        jax.tree.leaves_with_path(narrowed), jax.tree.leaves(whole), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4, err_msg=str(path))
    left_out = 0
    for own, layer in zip(units, interchangeable(model), strict=True):
        bias = layer.outputs[0].tensor.removesuffix("kernel") + "bias"
        for member in SEEDS:
            out = np.setdiff1d(np.arange(params[bias].shape[-1]), own[member])
            left_out += out.size
            for state in (narrowed.state.params, whole.state.params):
                np.testing.assert_array_equal(state[bias][member, out], params[bias][member, out])
    assert left_out >= 10
    moved = np.abs(np.asarray(whole.state.params["output/kernel"] - params["output/kernel"]))
    assert np.max(moved[np.asarray(mask["output/kernel"])]) > 0.01


def test_units_by_hand():
    """Unit 1 of the first layer feeds only unit 0 of the second, which feeds nothing."""
    model = network("mlp")
    params = training.initial(model, training.member_keys(SEEDS, "initial"))
    mask = {name: np.array(m) for name, m in dense_mask(params).items()}
    mask["output/kernel"][0, 0] = False
    mask["layers/1/kernel"][0, 1, 1:] = False
    mask = {name: jnp.asarray(m) for name, m in mask.items()}
    units = narrow.trained_units(model, mask)
    assert units is not None
    first, second = (own.tolist() for own in units)
    # Member 1 needs all units, so member 0 keeps useless ones besides.
    assert first == [list(range(9))] * 2
    assert second == [list(range(7))] * 2
    alone = narrow.trained_units(model, {name: m[:1] for name, m in mask.items()})
    assert alone is not None
    assert [own.tolist() for own in alone] == [[[0, *range(2, 9)]], [list(range(1, 7))]]


def test_nothing_is_left_out_of_a_dense_network():
    model = network("mlp")
    params = training.initial(model, training.member_keys(SEEDS, "initial"))
    assert narrow.trained_units(model, dense_mask(params)) is None


def test_what_is_taken_is_put_back():
    model = network("lenet5")
    params = model.init(jax.random.key(0))
    units = tuple(
        jnp.arange(0, params[layer.outputs[0].tensor].shape[-1], 2)
        for layer in interchangeable(model)
    )
    small = narrow.taken(model, params, units)
    for name, leaf in small.items():
        assert leaf.size < params[name].size or name == "output/bias"
    back = narrow.put(model, jax.tree.map(jnp.zeros_like, params), small, units)
    again = narrow.taken(model, back, units)
    for name, leaf in small.items():
        np.testing.assert_array_equal(again[name], leaf)
        assert np.count_nonzero(back[name]) == np.count_nonzero(leaf)


def test_leaving_out_pays_from_ten_core_seconds():
    """Of 6 x 1e12 / 6 multiply-adds saved: half of LeNet-300-100's are 133,000 an example."""
    model = build(Architecture("mlp", 300.0, 2, 1 / 3, "relu", False, "glorot", (28, 28, 1), 10))
    half = (jnp.zeros((1, 150), jnp.int32), jnp.zeros((1, 50), jnp.int32))
    saved = 784 * 300 + 300 * 100 + 1000 - (784 * 150 + 150 * 50 + 500)
    needed = 1e12 / 6 / saved
    assert narrow.pays(model, half, int(needed) + 1, 100)
    assert not narrow.pays(model, half, int(needed), 100)
    assert not narrow.pays(model, half, int(needed) + 1, 5)  # 2.5 steps each evaluation
    most = (jnp.zeros((1, 280), jnp.int32), jnp.zeros((1, 100), jnp.int32))
    assert not narrow.pays(model, most, 10**12, 100)
