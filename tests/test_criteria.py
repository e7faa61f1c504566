"""Methods by name: every one keeps exact counts, and what its own function says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import criteria, pruning, training
from capacity.criteria import UNITS, Batch, Criterion
from capacity.lottery import dense_mask
from capacity.models import Architecture, build, interchangeable
from capacity.training import Examples

MEMBERS = 3
SIZES = {"layers/0/kernel": 40, "layers/1/kernel": 64, "output/kernel": 24}
OF_WEIGHTS = ("magnitude", "random", "saliency", "fisher", "snip", "grasp")
LENET = Architecture("mlp", 8.0, 2, 1.0, "relu", False, "glorot", (5,), 3)


@pytest.fixture(scope="module")
def model():
    return build(LENET)


@pytest.fixture(scope="module")
def params(model):
    return training.initial(model, training.member_keys(range(MEMBERS), "initial"))


@pytest.fixture(scope="module")
def batch():
    draw = np.random.default_rng(0)
    inputs = jnp.asarray(draw.normal(size=(30, 5)), jnp.float32)
    labels = jnp.asarray(draw.integers(0, 3, 30), jnp.int32)
    examples = Examples(inputs, labels, jnp.float32(0), jnp.float32(1))
    return Batch(examples, jnp.arange(20))


def chosen(model, params, batch, kept, mask=None, chunk=MEMBERS, **criterion):
    keys = training.member_keys(range(MEMBERS), "pruning")
    mask = dense_mask(params) if mask is None else mask
    return criteria.chosen(
        Criterion(**criterion), model, params, mask, kept, keys, batch, chunk=chunk
    )


def counts(mask):
    return {name: [int(np.sum(m)) for m in np.asarray(leaf)] for name, leaf in mask.items()}


@pytest.mark.parametrize("method", OF_WEIGHTS)
def test_every_layer_keeps_its_exact_count(model, params, batch, method):
    kept = {"layers/0/kernel": 10, "layers/1/kernel": 7, "output/kernel": 24}
    found = chosen(model, params, batch, kept, method=method)
    assert counts(found) == {name: [count] * MEMBERS for name, count in kept.items()}


@pytest.mark.parametrize("method", [*OF_WEIGHTS, "synflow"])
def test_where_all_layers_compete_their_sum_is_exact(model, params, batch, method):
    found = chosen(model, params, batch, 11, method=method)
    sums = np.sum(list(counts(found).values()), axis=0)
    np.testing.assert_array_equal(sums, 11)
    assert all(min(of) >= 1 for of in counts(found).values())


def test_a_layer_is_emptied_only_if_it_may(model, params, batch):
    """Of weights a thousand times as large in one layer, the ten largest are all there."""
    larger = params | {"layers/1/kernel": 1000 * params["layers/1/kernel"]}
    kept = counts(chosen(model, larger, batch, 10))
    assert kept == {
        "layers/0/kernel": [1] * 3,
        "layers/1/kernel": [8] * 3,
        "output/kernel": [1] * 3,
    }
    kept = counts(chosen(model, larger, batch, 10, least=0))
    assert kept == {
        "layers/0/kernel": [0] * 3,
        "layers/1/kernel": [10] * 3,
        "output/kernel": [0] * 3,
    }


def test_snip_is_its_function_at_the_batch(model, params, batch):
    own = {name: leaf[1] for name, leaf in params.items()}
    mask = {name: leaf[1] for name, leaf in dense_mask(params).items()}
    inputs, labels = training.pick(batch.examples, batch.places)

    def loss(p):
        return jnp.mean(training.example_losses(model, p, inputs, labels)[0])

    scores = pruning.snip(loss, own, mask)
    expected = pruning.prune(scores, mask, jnp.int32(60))
    found = chosen(model, params, batch, 60, method="snip", least=0)
    for name in SIZES:
        np.testing.assert_array_equal(found[name][1], expected[name])


def test_masks_only_shrink(model, params, batch):
    kept = dict.fromkeys(SIZES, 20)
    first = chosen(model, params, batch, kept)
    second = chosen(model, params, batch, dict.fromkeys(SIZES, 9), mask=first, method="random")
    assert all(not np.any(np.asarray(second[n]) & ~np.asarray(first[n])) for n in SIZES)


@pytest.mark.parametrize("method", UNITS)
def test_whole_units_go(model, params, batch, method):
    """Three of eight stay: 3 columns of the first kernel, 3 x 2 of the second, 2 rows behind."""
    kept = {"layers/0/kernel": 3, "layers/1/kernel": 2}
    found = chosen(model, params, batch, kept, method=method)
    assert counts(found) == {
        "layers/0/kernel": [15] * 3,
        "layers/1/kernel": [6] * 3,
        "output/kernel": [6] * 3,
    }
    assert len(interchangeable(model)) == 2


def test_the_units_of_the_largest_norm_stay(model, params, batch):
    kept = {"layers/0/kernel": 3, "layers/1/kernel": 8}
    found = chosen(model, params, batch, kept, method="unit-norm")
    norms = np.abs(np.asarray(params["layers/0/kernel"][2])).sum(axis=0)
    columns = np.flatnonzero(np.asarray(found["layers/0/kernel"][2]).any(axis=0))
    np.testing.assert_array_equal(columns, np.sort(np.argsort(-norms)[:3]))


def test_a_pattern_keeps_n_of_every_m(model, params, batch):
    even = build(LENET._replace(input_shape=(8,)))
    drawn = training.initial(even, training.member_keys(range(MEMBERS), "initial"))
    found = chosen(even, drawn, batch._replace(places=batch.places[:0]), {}, pattern=(2, 4))
    for mask in found.values():
        groups = np.moveaxis(np.asarray(mask), -2, -1).reshape(-1, 4)
        assert np.all(groups.sum(axis=1) == 2)


def test_members_are_chosen_alike_alone_and_together(model, params, batch):
    kept = dict.fromkeys(SIZES, 9)
    for method in ("fisher", "random"):
        together = chosen(model, params, batch, kept, method=method)
        alone = chosen(model, params, batch, kept, method=method, chunk=1)
        for name in SIZES:
            np.testing.assert_array_equal(together[name], alone[name])


def test_a_shuffled_mask_has_the_counts_of_every_member(model, params, batch):
    mask = chosen(model, params, batch, 40, method="snip")
    keys = training.member_keys(range(MEMBERS), "random mask")
    found = criteria.shuffled(mask, keys)
    assert counts(found) == counts(mask)
    assert any(np.any(np.asarray(found[n]) != np.asarray(mask[n])) for n in SIZES)


def test_the_rounds_of_a_method_are_one_compilation(model, params, batch):
    """Other counts of the same layers are arguments."""
    program = criteria._chosen
    chosen(model, params, batch, dict.fromkeys(SIZES, 9), method="saliency")
    before = program._cache_size()
    chosen(model, params, batch, dict.fromkeys(SIZES, 5), method="saliency")
    assert program._cache_size() == before
    assert jax.tree.leaves(params)[0].shape[0] == MEMBERS
