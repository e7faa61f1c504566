"""Synaptic flow: conserved from layer to layer, and no layer dies before it must."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.models import Architecture, build
from capacity.pruning import kept_of, magnitude, prune, random_scores, synaptic_flow, synflow


@pytest.fixture(scope="module")
def model():
    return build(
        Architecture(
            family="mlp",
            width=24,
            depth=5,
            taper=1.0,
            activation="relu",
            layer_norm=False,
            initialisation="glorot",
            input_shape=(140,),
            class_count=6,
        )
    )


@pytest.fixture(scope="module")
def outputs(model):
    return lambda params: model.apply(params, jnp.ones((1, *model.input_shape)))[0]


@pytest.fixture(scope="module")
def params(model):
    return model.init(jax.random.key(0))


@pytest.fixture(scope="module")
def dense(params):
    return {n: jnp.ones(p.shape, bool) for n, p in params.items() if n.endswith("kernel")}


@pytest.fixture(scope="module")
def pruned(outputs, params):
    return jax.jit(lambda mask, count: synflow(outputs, params, mask, count, rounds=5))


def counts(mask):
    return {name: int(m.sum()) for name, m in mask.items()}


def connected(mask):
    """Whether a path of kept weights leads from an input to an output."""
    names = sorted(mask, key=lambda n: (n.startswith("output"), n))
    reached = np.ones(mask[names[0]].shape[0], bool)
    for name in names:
        reached = reached @ np.asarray(mask[name])
    return bool(reached.any())


def test_scores_are_sums_over_paths(params, dense, outputs):
    """R is the sum over all paths of the product of |weights|, and a score that of its paths."""
    layers = sorted(dense, key=lambda n: (n.startswith("output"), n))
    sizes = [np.abs(np.asarray(params[name], np.float64)) for name in layers]
    found = synaptic_flow(outputs, params, dense)
    for i, name in enumerate(layers):
        before, after = np.ones(sizes[0].shape[0]), np.ones(sizes[-1].shape[1])
        for size in sizes[:i]:
            before = before @ size
        for size in sizes[:i:-1]:
            after = size @ after
        np.testing.assert_allclose(found[name], before[:, None] * sizes[i] * after, rtol=1e-4)


def test_every_layer_has_the_same_flow(params, dense, outputs):
    half = prune(random_scores(jax.random.key(2), dense), dense, jnp.int32(1000))
    scores = synaptic_flow(outputs, params, half)
    flows = [float(jnp.sum(jnp.where(m, scores[name], 0))) for name, m in half.items()]
    np.testing.assert_allclose(flows, flows[0], rtol=1e-5)


def test_no_layer_dies_at_999_per_mille(params, dense, outputs):
    """Of 5 808 weights in six layers 6 are left: one path, the fewest that a network can have.

    Magnitude and chance leave no path at eight times that number.
    """
    total = sum(counts(dense).values())
    assert total == 140 * 24 + 4 * 24 * 24 + 24 * 6 == 5808
    last = jax.jit(lambda count: synflow(outputs, params, dense, count))
    path = last(jnp.int32(kept_of(total, 0.999)))
    assert set(counts(path).values()) == {1}
    assert connected(path)
    for count in (3, 4, 5):
        assert sum(counts(last(jnp.int32(count))).values()) == count
    for scores in (magnitude(params, dense), random_scores(jax.random.key(0), dense)):
        assert not connected(prune(scores, dense, jnp.int32(48)))
    # In one round, flow keeps many weights of few paths and starves a layer.
    at_once = synflow(outputs, params, dense, jnp.int32(6), rounds=1)
    assert 0 in counts(at_once).values()


@pytest.mark.parametrize("count", [5808, 5807, 2903, 58, 0])
def test_counts_are_exact_and_masks_shrink(params, dense, pruned, count):
    half = prune(random_scores(jax.random.key(2), dense), dense, jnp.int32(2904))
    for start, size in ((dense, 5808), (half, 2904)):
        found = pruned(start, jnp.int32(count))
        assert sum(counts(found).values()) == min(count, size)
        assert all(not np.any(found[name] & ~m) for name, m in start.items())


def test_a_population_is_pruned_as_its_members_are(model, dense, outputs):
    params = jax.vmap(model.init)(jax.random.split(jax.random.key(1), 2))

    def pruned(params, count):
        return synflow(outputs, params, dense, count, rounds=4)

    together = jax.vmap(pruned, (0, None))(params, jnp.int32(200))
    for member in range(2):
        alone = pruned({n: p[member] for n, p in params.items()}, jnp.int32(200))
        for name in dense:
            np.testing.assert_array_equal(together[name][member], alone[name])
