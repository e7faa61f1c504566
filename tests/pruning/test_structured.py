"""N:M by a loop over groups; unit masks that silence a unit whatever comes in."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capacity.models import Architecture, build, interchangeable
from capacity.pruning import (
    PruningError,
    n_of_m,
    prune,
    unit_activity,
    unit_firing,
    unit_freedom,
    unit_mask,
    unit_norms,
)

jit_n_of_m = jax.jit(n_of_m, static_argnums=(2, 3))


def by_groups(scores, mask, n, m):
    """Reference for [..., in, out]: a sort per group, best score first, then lowest input."""
    kept = np.zeros(mask.shape, bool)
    for place in np.ndindex(*mask.shape[:-2], mask.shape[-1]):
        column = (*place[:-1], slice(None), place[-1])
        own, allowed = scores[column], mask[column]
        for start in range(0, len(own), m):
            group = [i for i in range(start, start + m) if allowed[i]]
            for i in sorted(group, key=lambda i: (-own[i], i))[:n]:
                kept[(*place[:-1], i, place[-1])] = True
    return kept


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([(2, 4), (1, 4), (1, 2), (4, 8), (3, 3)]),
    st.sampled_from([(24, 3), (2, 1, 24, 2)]),
    st.data(),
)
def test_groups_along_the_inputs(pattern, shape, data):
    """Exact counts with ties and zeros, and within the mask of before."""
    n, m = pattern
    values = st.sampled_from([0.0, 0.5, 1.0, 2.0])
    scores = data.draw(hnp.arrays(np.float32, shape, elements=values))
    mask = data.draw(hnp.arrays(bool, shape))
    found = jit_n_of_m({"k": jnp.asarray(scores)}, {"k": jnp.asarray(mask)}, n, m)["k"]
    np.testing.assert_array_equal(found, by_groups(scores, mask, n, m))


def test_two_of_four_by_hand():
    scores = {"k": jnp.array([[1.0], [3.0], [2.0], [0.0], [5.0], [5.0], [5.0], [5.0]])}
    kept = n_of_m(scores, {"k": jnp.ones((8, 1), bool)}, 2, 4)
    assert kept["k"][:, 0].astype(int).tolist() == [0, 1, 1, 0, 1, 1, 0, 0]


def test_patterns_that_do_not_fit():
    mask = {"layers/0/kernel": jnp.ones((6, 4), bool)}
    scores = {"layers/0/kernel": jnp.ones((6, 4))}
    sentence = r"^layers/0/kernel of shape \(6, 4\): its 6 inputs cannot be grouped by 4$"
    with pytest.raises(PruningError, match=sentence):
        n_of_m(scores, mask, 2, 4)
    with pytest.raises(PruningError, match=r"^5:4 sparsity: must keep from 1 to 4 of every 4$"):
        n_of_m(scores, mask, 5, 4)


def test_norms_of_channels_and_units():
    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 5)).astype(np.float32)
    for order in (1, 2):
        expected = [np.sum(np.abs(kernel[..., c]) ** order) ** (1 / order) for c in range(5)]
        np.testing.assert_allclose(unit_norms(jnp.asarray(kernel), order), expected, rtol=1e-5)
    assert unit_norms(jnp.array([[3.0, -1.0], [-4.0, 0.0]]), 2).tolist() == [5.0, 1.0]


def test_activations_by_hand():
    outputs = jnp.array([[0.0, 1.0, -0.999], [0.0, 0.0, 0.5], [0.0, -3.0, 0.985], [0.0, 0.0, 0.9]])
    np.testing.assert_allclose(unit_activity(outputs)[:2], [0, 1])
    assert unit_firing(outputs).tolist() == [0.0, 0.5, 1.0]
    assert unit_freedom(outputs[:, 2:], (-1.0, 1.0)).tolist() == [0.5]
    # Places of a convolution are samples.
    np.testing.assert_allclose(unit_activity(outputs.reshape(2, 2, 3)), unit_activity(outputs))


def network(family, **settings):
    base = {"width": 6, "depth": 3, "taper": 1.0, "layer_norm": False, "class_count": 3}
    base |= {"activation": "sigmoid", "initialisation": "he", "input_shape": (4, 4, 1)}
    return build(Architecture(family=family, **(base | settings)))


@pytest.mark.parametrize(
    "model",
    [
        network("mlp"),
        network("mlp", layer_norm=True),
        network("lenet5", width=0.1, input_shape=(16, 16, 1)),
    ],
    ids=["mlp", "layer norm", "lenet5"],
)
def test_a_pruned_unit_is_silent(model):
    """No weight into it, none out of it: nothing that changes its bias changes the network."""
    layers = interchangeable(model)
    draw = np.random.default_rng(1)
    params = {
        n: jnp.asarray(draw.normal(size=p.shape), jnp.float32)
        for n, p in model.init(jax.random.key(0)).items()
    }
    shapes = {name: p.shape for name, p in params.items()}
    scores = {str(i): unit_norms(params[u.outputs[0].tensor]) for i, u in enumerate(layers)}
    dense = {name: jnp.ones(s.shape, bool) for name, s in scores.items()}
    total = sum(s.size for s in scores.values())
    units = prune(scores, dense, jnp.int32(total - 4))
    kept = [units[str(i)] for i in range(len(layers))]
    mask = unit_mask(kept, layers, shapes)
    masked = {n: jnp.where(mask[n], p, 0) if n in mask else p for n, p in params.items()}
    x = jnp.asarray(draw.normal(size=(4, *model.input_shape)), jnp.float32)
    expected, _ = model.apply(masked, x)
    for units, own in zip(layers, kept, strict=True):
        kernel = units.outputs[0].tensor
        pruned = np.flatnonzero(~np.asarray(own))
        assert not np.any(np.asarray(mask[kernel])[..., pruned])
        bias = kernel.replace("kernel", "bias")
        assert not np.any(np.asarray(mask[bias])[pruned])
        if any("norm" in axis.tensor for axis in units.outputs):
            continue  # a unit's value before the normalisation changes that of the others
        disturbed = {**masked, bias: masked[bias].at[pruned].set(7.0)}
        np.testing.assert_array_equal(model.apply(disturbed, x)[0], expected)
    kept_kernels = sum(int(m.sum()) for n, m in mask.items() if n.endswith("kernel"))
    assert kept_kernels < sum(p.size for n, p in params.items() if n.endswith("kernel"))
