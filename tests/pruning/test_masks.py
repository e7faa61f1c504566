"""Masks: exact counts whatever the ties, and the schedule of Frankle & Carbin (2019)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capacity.pruning import keep_largest, kept_count, magnitude, prune

SIZE = 24
SHAPES = {"layers/0/kernel": (4, 5), "layers/1/kernel": (5, 3), "output/kernel": (3, 2)}
kept_largest, pruned_alone = jax.jit(keep_largest), jax.jit(prune)

# Few values, so that ties are the rule; both zeros and both infinities among them.
tied_scores = hnp.arrays(
    np.float32, SIZE, elements=st.sampled_from([0.0, -0.0, 0.5, 1.0, 2.0, np.inf, -np.inf, np.nan])
)
some_masks = hnp.arrays(bool, SIZE)


def by_sorting(scores, mask, count):
    """Reference: of the entries in the mask, best score first, then lowest index."""
    finite = np.where(np.isnan(scores), -np.inf, scores)
    order = sorted(np.flatnonzero(mask), key=lambda i: (-finite[i], i))
    kept = np.zeros(mask.shape, bool)
    kept[order[:count]] = True
    return kept


@settings(deadline=None)  # the first example compiles
@given(tied_scores, some_masks, st.integers(0, SIZE + 3))
def test_the_largest_are_kept_and_of_equals_the_first(scores, mask, count):
    kept = np.asarray(kept_largest(scores, mask, jnp.int32(count)))
    np.testing.assert_array_equal(kept, by_sorting(scores, mask, count))
    assert kept.sum() == min(count, mask.sum())
    assert not np.any(kept & ~mask)


def test_ties_and_nan_by_hand():
    scores = jnp.array([1.0, jnp.nan, 2.0, 1.0, 0.0, 1.0])
    mask = jnp.array([True, True, True, True, False, True])
    for count, expected in [
        (0, [0, 0, 0, 0, 0, 0]),
        (1, [0, 0, 1, 0, 0, 0]),
        (2, [1, 0, 1, 0, 0, 0]),
        (3, [1, 0, 1, 1, 0, 0]),
        (4, [1, 0, 1, 1, 0, 1]),
        (5, [1, 1, 1, 1, 0, 1]),
        (6, [1, 1, 1, 1, 0, 1]),
    ]:
        kept = keep_largest(scores, mask, jnp.int32(count))
        assert kept.astype(int).tolist() == expected


def test_a_network_of_nan_still_keeps_the_exact_count():
    kept = keep_largest(jnp.full(5, jnp.nan), jnp.ones(5, bool), jnp.int32(2))
    assert kept.tolist() == [True, True, False, False, False]


def test_counts_by_hand():
    counts = [100]
    for _ in range(4):
        counts.append(kept_count(counts[-1], 0.2))
    assert counts == [100, 80, 64, 51, 41]  # 12.8 goes as 13, 10.2 as 10
    assert kept_count(2, 0.9) == 1  # never none
    assert kept_count(1, 0.999) == 1
    assert kept_count(7, 0.01) == 7


@given(st.integers(1, 10**7), st.floats(0.001, 0.999))
def test_a_round_removes_the_share_to_the_nearest_weight(remaining, rate):
    kept = kept_count(remaining, rate)
    assert 1 <= kept <= remaining
    assert kept == 1 or abs(remaining - kept - rate * remaining) <= 0.5 + 1e-6


def test_lenet_300_100_shrinks_as_published():
    """Percentages in the figures of Frankle & Carbin (2019), section 2, printed to a tenth.

    A fifth of each layer goes in a round, and a tenth of the output layer.
    """
    sizes, rates = [784 * 300, 300 * 100, 100 * 10], [0.2, 0.2, 0.1]
    total, remaining = sum(sizes), [100.0]
    for _ in range(18):
        sizes = [kept_count(n, rate) for n, rate in zip(sizes, rates, strict=True)]
        remaining.append(100 * sum(sizes) / total)
    published = {3: 51.3, 4: 41.1, 7: 21.1, 8: 16.9, 12: 7.0, 15: 3.6, 16: 2.9, 18: 1.9}
    for index, percentage in published.items():
        assert remaining[index] == pytest.approx(percentage, abs=0.05)


@pytest.fixture(scope="module")
def network():
    draw = np.random.default_rng(0)
    weights = {n: jnp.asarray(draw.normal(size=s), jnp.float32) for n, s in SHAPES.items()}
    return {**weights, "layers/0/bias": jnp.zeros(5)}


@pytest.fixture(scope="module")
def dense():
    return {name: jnp.ones(shape, bool) for name, shape in SHAPES.items()}


def test_biases_have_no_magnitude_to_prune_by(network, dense):
    scores = magnitude(network, dense)
    assert set(scores) == set(SHAPES)
    np.testing.assert_array_equal(scores["output/kernel"], np.abs(network["output/kernel"]))


def test_layerwise_is_a_sort_per_tensor(network, dense):
    kept = {name: jnp.int32(count) for name, count in zip(SHAPES, (13, 4, 5), strict=True)}
    pruned = pruned_alone(magnitude(network, dense), dense, kept)
    for name, count in kept.items():
        weights = np.abs(np.asarray(network[name])).ravel()
        expected = np.zeros(weights.size, bool)
        expected[np.argsort(-weights)[: int(count)]] = True
        np.testing.assert_array_equal(np.asarray(pruned[name]).ravel(), expected)


def test_global_is_one_sort_of_all_tensors(network, dense):
    pruned = pruned_alone(magnitude(network, dense), dense, jnp.int32(11))
    weights = np.concatenate([np.abs(np.asarray(network[name])).ravel() for name in SHAPES])
    flat = np.concatenate([np.asarray(pruned[name]).ravel() for name in SHAPES])
    expected = np.zeros(weights.size, bool)
    expected[np.argsort(-weights)[:11]] = True
    np.testing.assert_array_equal(flat, expected)


def test_masks_only_shrink_from_round_to_round(network, dense):
    """Whatever the scores of pruned weights are: here they grow."""
    mask = pruned_alone(magnitude(network, dense), dense, jnp.int32(20))
    scores = {name: jnp.where(mask[name], 0.1, 9.0) for name in SHAPES}
    smaller = pruned_alone(scores, mask, jnp.int32(10))
    assert all(not np.any(smaller[name] & ~mask[name]) for name in SHAPES)
    assert sum(int(m.sum()) for m in smaller.values()) == 10


@pytest.mark.parametrize("scope", ["layerwise", "global"])
def test_a_population_is_pruned_as_its_members_are(dense, scope):
    draw = np.random.default_rng(1)
    scores = {
        n: jnp.asarray(np.abs(draw.normal(size=(3, *s))), jnp.float32) for n, s in SHAPES.items()
    }
    masks = {name: jnp.stack([m] * 3) for name, m in dense.items()}
    counts = {name: jnp.int32(5) for name in SHAPES}
    kept = jnp.int32(17) if scope == "global" else counts
    together = jax.jit(jax.vmap(prune, in_axes=(0, 0, None)))(scores, masks, kept)
    for member in range(3):
        alone = pruned_alone({n: s[member] for n, s in scores.items()}, dense, kept)
        for name in SHAPES:
            np.testing.assert_array_equal(together[name][member], alone[name])
