"""Networks that grow: the same function, by hand and for any shape; what cannot is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.models import Architecture, ModelError, build, deeper, hidden_widths, inherited, wider

KEY = jax.random.key(7)


def architecture(family, width=64.0, **others):
    options = {"depth": None, "taper": 1.0, "activation": "relu", "layer_norm": False}
    options |= {"initialisation": "glorot", "input_shape": (3,), "class_count": 4} | others
    return Architecture(family=family, width=width, **options)


def network(widths, **others):
    """With weights and biases that no part is 0 of."""
    given_ = architecture("mlp", widths=widths, **others)
    shapes = jax.eval_shape(build(given_).init, KEY)
    draw = np.random.default_rng(len(widths))
    params = {
        name: jnp.asarray(draw.normal(size=leaf.shape), jnp.float32)
        for name, leaf in shapes.items()
    }
    return given_, params


def logits(given_: Architecture, params):
    x = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    model = build(given_)
    assert {n: p.shape for n, p in params.items()} == {
        n: p.shape for n, p in jax.eval_shape(model.init, KEY).items()
    }
    return np.asarray(model.apply(params, jnp.asarray(x))[0])


def same(a, b):
    """Sums of other lengths: a few roundings of float32 beside logits of size 10 to 1000."""
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * np.abs(b).max())


WIDTHS = st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple)


@settings(max_examples=12, deadline=None)
@given(WIDTHS, st.data())
def test_a_wider_network_computes_the_same(widths, data):
    parent, params = network(widths, activation=data.draw(st.sampled_from(["relu", "tanh"])))
    layer = data.draw(st.integers(0, len(widths) - 1))
    units = widths[layer] + data.draw(st.integers(1, 8))
    child, grown = wider(parent, params, layer, units, KEY)
    assert hidden_widths(child) == (*widths[:layer], units, *widths[layer + 1 :])
    same(logits(child, grown), logits(parent, params))


@settings(max_examples=12, deadline=None)
@given(WIDTHS, st.data())
def test_a_deeper_network_computes_the_same(widths, data):
    parent, params = network(widths)
    layer = data.draw(st.integers(0, len(widths) - 1))
    child, grown = deeper(parent, params, layer)
    assert len(hidden_widths(child)) == len(widths) + 1
    same(logits(child, grown), logits(parent, params))


@settings(max_examples=12, deadline=None)
@given(WIDTHS, st.data())
def test_whatever_grew_computes_what_its_parent_did(widths, data):
    parent, params = network(widths)
    more = [w + data.draw(st.integers(0, 4)) for w in widths]
    new = data.draw(st.lists(st.integers(0, 4), max_size=2))
    for extra in new:  # a layer behind the last is at least as wide as the layer before it was
        more.append(widths[-1] + extra)
    child = parent._replace(widths=tuple(more))
    same(logits(child, inherited(parent, params, child, KEY)), logits(parent, params))


def test_copies_share_their_weights_by_hand():
    """One unit of weight 2 that becomes three: shares add up to 2, and are not equal."""
    parent, params = network((1,))
    _, grown = wider(parent, params, 0, 3, KEY)
    kernel, out = grown["layers/0/kernel"], grown["output/kernel"]
    np.testing.assert_array_equal(kernel, np.repeat(params["layers/0/kernel"], 3, axis=1))
    np.testing.assert_allclose(out.sum(axis=0), params["output/kernel"][0], rtol=1e-6)
    assert len(np.unique(np.asarray(out[:, 0]))) == 3


def test_units_of_one_copy_keep_their_weights_exactly():
    parent, params = network((5,))
    _, grown = wider(parent, params, 0, 6, KEY)
    unchanged = (grown["output/kernel"][:5] == params["output/kernel"]).all(axis=1)
    assert int(unchanged.sum()) == 4


def test_a_population_grows_as_its_members():
    parent, params = network((2, 3))
    both = {name: jnp.stack([leaf, 2 * leaf]) for name, leaf in params.items()}
    keys = jax.random.split(KEY, 2)
    grown = jax.vmap(lambda p, k: wider(parent, p, 0, 5, k)[1])(both, keys)
    alone = wider(parent, {n: leaf[1] for n, leaf in both.items()}, 0, 5, keys[1])[1]
    for name, leaf in alone.items():
        np.testing.assert_allclose(grown[name][1], leaf, rtol=1e-6)


def test_a_narrower_child_keeps_the_units_that_matter():
    """The unit without outgoing weights goes, and with it nothing of the function."""
    parent, params = network((3,))
    params["output/kernel"] = params["output/kernel"].at[1].set(0.0)
    child = parent._replace(widths=(2,))
    less = inherited(parent, params, child, KEY)
    np.testing.assert_array_equal(less["layers/0/bias"], params["layers/0/bias"][jnp.array([0, 2])])
    same(logits(child, less), logits(parent, params))


def test_a_layer_that_handed_on_what_it_got_can_go():
    parent, params = network((3,))
    grown, more = deeper(parent, params, 0)
    same(logits(parent, inherited(grown, more, parent, KEY)), logits(parent, params))


def test_widths_may_be_said_by_width_depth_and_taper():
    said = architecture("mlp", 8.0, depth=2, taper=0.5)
    assert hidden_widths(said) == (8, 4)
    params = build(said).init(KEY)
    child = said._replace(widths=(8, 6), depth=2, taper=1.0)
    same(logits(child, inherited(said, params, child, KEY)), logits(said, params))


@pytest.mark.parametrize(
    ("change", "do", "said"),
    [
        ({}, lambda a, p: wider(a, p, 0, 2, KEY), "hidden layer 0 has 2 units: 2 are not more"),
        (
            {"activation": "tanh"},
            lambda a, p: deeper(a, p, 0),
            "tanh: a new layer hands on what it gets only behind a relu",
        ),
        (
            {"layer_norm": True},
            lambda a, p: wider(a, p, 0, 3, KEY),
            "layer_norm: a wider layer would change the mean and variance that it divides by",
        ),
        (
            {"layer_norm": True},
            lambda a, p: deeper(a, p, 0),
            "layer_norm: a new layer would change the mean and variance that it divides by",
        ),
        (
            {},
            lambda a, p: inherited(a, p, a._replace(activation="tanh"), KEY),
            "parent and child differ in more than their widths: nothing is inherited",
        ),
    ],
)
def test_what_would_change_the_function_is_refused(change, do, said):
    with pytest.raises(ModelError) as raised:
        do(*network((2,), **change))
    assert str(raised.value) == said


def test_only_perceptrons_grow():
    with pytest.raises(ModelError, match="lenet5: only an mlp has hidden layers that can change"):
        hidden_widths(architecture("lenet5"))
