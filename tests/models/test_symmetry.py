"""Interchangeable units: the function stays, and ties are respected."""

import jax
import numpy as np
import pytest

from capacity.coding.order import reordered
from capacity.models import Architecture, build, interchangeable

SHAPES = {"mlp": (4, 4, 1), "lenet5": (16, 16, 1), "conv4": (8, 8, 3)}


def network(family, *, width=0.2, depth=None, layer_norm=False, shape=None):
    return build(
        Architecture(
            family=family,
            width=width,
            depth=depth,
            taper=1.0,
            activation="relu",
            layer_norm=layer_norm,
            initialisation="he",
            input_shape=shape or SHAPES[family],
            class_count=3,
        )
    )


@pytest.mark.parametrize(
    ("model", "layers"),
    [
        (network("mlp", width=12, depth=3, layer_norm=True), 3),
        (network("lenet5"), 3),
        (network("conv4", width=0.05), 6),
    ],
    ids=["mlp", "lenet5", "conv4"],
)
def test_reordered_units_compute_the_same(model, layers):
    found = interchangeable(model)
    assert len(found) == layers
    params = {name: np.asarray(leaf) for name, leaf in model.init(jax.random.key(0)).items()}
    generator = np.random.default_rng(0)
    vectors = [name for name, leaf in params.items() if leaf.ndim == 1]
    params |= {n: generator.normal(size=params[n].shape).astype(np.float32) for n in vectors}
    turned = reordered(params, found)
    assert any(not np.array_equal(turned[name], params[name]) for name in params)
    x = generator.normal(size=(5, *model.input_shape)).astype(np.float32)
    before, after = (jax.jit(model.apply)(tree, x)[0] for tree in (params, turned))
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4)  # sums in another order


@pytest.mark.parametrize(("family", "depth"), [("resnet", 8), ("vgg", 11)])
def test_units_tied_by_groups_or_shortcuts_stay(family, depth):
    model = network(family, width=0.1, depth=depth, shape=(32, 32, 3))
    assert interchangeable(model) == []
