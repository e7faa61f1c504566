"""A network that is a part of a wider one learns what it learns by itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import training
from capacity.models import Architecture, build

PLAIN = {
    "family": "mlp",
    "depth": 2,
    "taper": 1.0,
    "widths": None,
    "activation": "relu",
    "layer_norm": False,
    "initialisation": "glorot",
    "input_shape": (6, 6, 1),
    "class_count": 3,
}


def network(width, **settings):
    return build(Architecture(**{**PLAIN, **settings}, width=width))


@pytest.mark.parametrize(
    ("settings", "narrow", "wide"),
    [
        ({}, 3.0, 7.0),
        ({"taper": 0.5, "depth": 3}, 4.0, 12.0),
        ({"activation": "sigmoid"}, 3.0, 5.0),
        ({"family": "conv2", "depth": None}, 0.05, 0.1),
    ],
    ids=str,
)
def test_a_padded_network_computes_the_same(settings, narrow, wide):
    """Whatever an added unit puts out, nothing reads it; and there is a way back."""
    small, large = network(narrow, **settings), network(wide, **settings)
    to = training.padding(small, large)
    params = training.initial(small, training.member_keys([0, 1], "initial"))
    params = {n: p + 0.1 if n.endswith("/bias") else p for n, p in params.items()}
    padded = training.padded(to, params)
    shapes = jax.eval_shape(large.init, jax.random.key(0))
    assert {n: p.shape[1:] for n, p in padded.items()} == {n: s.shape for n, s in shapes.items()}
    x = jax.random.normal(jax.random.key(1), (5, *small.input_shape))
    for member in range(2):
        own, wider = ({n: p[member] for n, p in tree.items()} for tree in (params, padded))
        one, other = large.apply(wider, x)[0], small.apply(own, x)[0]
        np.testing.assert_allclose(one, other, atol=1e-6)
    moments, step = training.unpadded(to, (padded, jnp.arange(2)))
    assert all((moments[name] == params[name]).all() for name in params)
    assert step.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("settings", "narrow", "wide"),
    [
        ({"layer_norm": True}, 3.0, 7.0),  # The mean of more units is another.
        ({"family": "resnet", "depth": 8}, 0.25, 0.5),
        ({}, 7.0, 3.0),
    ],
    ids=str,
)
def test_what_is_no_part_of_a_wider_network(settings, narrow, wide):
    assert training.padding(network(narrow, **settings), network(wide, **settings)) is None


def test_another_depth_is_no_wider_network():
    assert training.padding(network(3.0), network(7.0, depth=3)) is None
