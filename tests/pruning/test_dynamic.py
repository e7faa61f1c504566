"""Masks that move: exact counts in every step of a scan, and what drops and grows."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capacity.pruning import (
    PruningError,
    drop_fraction,
    exchanged,
    forgotten,
    rigl,
    sparse_evolution,
)

SIZE = 12
jit_exchanged = jax.jit(exchanged)
some_values = hnp.arrays(np.float32, SIZE, elements=st.sampled_from([0.0, -0.5, 0.5, 1.0, -2.0]))


def by_loops(weights, growth, mask, fraction):
    """Reference: drop by magnitude, later ones first of equals; grow by score, first of equals."""
    active = [i for i in range(SIZE) if mask[i]]
    drops = int(np.floor(np.float32(fraction) * np.float32(len(active))))
    by_size = sorted(active, key=lambda i: (-abs(weights[i]), i))
    survivors = set(by_size[: len(active) - drops])
    others = sorted((i for i in range(SIZE) if i not in survivors), key=lambda i: (-growth[i], i))
    after = survivors | set(others[:drops])
    values = [weights[i] if i in after and mask[i] else 0.0 for i in range(SIZE)]
    return [i in after for i in range(SIZE)], values


@settings(deadline=None)
@given(some_values, some_values, hnp.arrays(bool, SIZE), st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_an_exchange_is_that_of_loops(weights, growth, mask, fraction):
    weights = np.where(mask, weights, 0)
    expected, values = by_loops(weights, growth, mask, fraction)
    moved, after = jit_exchanged(
        {"k": jnp.asarray(weights), "bias": jnp.ones(2)},
        {"k": jnp.asarray(growth)},
        {"k": jnp.asarray(mask)},
        jnp.float32(fraction),
    )
    assert after["k"].tolist() == expected
    np.testing.assert_array_equal(moved["k"], np.asarray(values, np.float32))
    assert int(after["k"].sum()) == mask.sum()
    assert moved["bias"].tolist() == [1.0, 1.0]


def test_rigl_by_hand():
    """Two of four go; the largest gradients grow, one of them where a weight has just gone."""
    params = {"k": jnp.array([4.0, 0.1, 0.2, 3.0, 0.0, 0.0])}
    mask = {"k": jnp.array([True, True, True, True, False, False])}
    gradients = {"k": jnp.array([0.0, 0.3, -5.0, 9.0, -4.0, 1.0])}
    moved, after = rigl(params, gradients, mask, jnp.float32(0.5))
    assert after["k"].tolist() == [True, False, True, True, True, False]
    np.testing.assert_allclose(moved["k"], [4.0, 0.0, 0.2, 3.0, 0.0, 0.0])


def test_set_draws_what_grows():
    mask = {"k": jnp.arange(1000) < 100}
    params = {"k": jnp.where(mask["k"], 1.0 + jnp.arange(1000.0), 0)}
    keys = jax.random.split(jax.random.key(0), 50)
    moved, after = jax.vmap(lambda key: sparse_evolution(key, params, mask, jnp.float32(0.3)))(keys)
    assert np.all(np.sum(after["k"], axis=1) == 100)
    assert np.all(np.asarray(after["k"])[:, 30:100])  # the larger 70 stay
    drawn = np.asarray(after["k"])[:, 100:].mean(axis=0)
    # 50 x 30 draws over 930 places: 0.032 each; the halves differ by chance alone.
    assert abs(drawn[:450].mean() - drawn[450:].mean()) < 0.006
    assert not np.any(np.asarray(moved["k"])[:, 100:])


def test_the_dropped_share_decays_by_a_cosine():
    steps = jnp.array([0, 25, 50, 75, 100, 200])
    found = jax.vmap(lambda t: drop_fraction(t, 100, 0.3))(steps)
    quarter = 0.15 * (1 + np.sqrt(0.5))
    np.testing.assert_allclose(found, [0.3, quarter, 0.15, 0.3 - quarter, 0, 0], atol=1e-7)
    with pytest.raises(PruningError, match=r"^drop fraction 1.2: must be from 0 to 1$"):
        drop_fraction(jnp.int32(0), 100, 1.2)


def problem(seed):
    draw = np.random.default_rng(seed)
    shapes = {"a/kernel": (6, 5), "b/kernel": (5, 3), "a/bias": (5,)}
    params = {n: jnp.asarray(draw.normal(size=s), jnp.float32) for n, s in shapes.items()}
    mask = {
        n: jnp.asarray(np.isin(np.arange(np.prod(shapes[n])), draw.permutation(15)[:7])).reshape(
            shapes[n]
        )
        for n in ("a/kernel", "b/kernel")
    }
    params = {n: jnp.where(mask[n], p, 0) if n in mask else p for n, p in params.items()}
    return params, mask, jnp.asarray(draw.normal(size=(8, 6)), jnp.float32)


def trained(params, mask, inputs, key, method):
    """Thirty steps of Adam with an update at every third, all inside a scan."""
    optimizer = optax.adam(0.05)

    def loss(params):
        hidden = jnp.tanh(inputs @ params["a/kernel"] + params["a/bias"][None])
        return jnp.mean((hidden @ params["b/kernel"] - 1) ** 2)

    def step(carry, t):
        params, moments, mask = carry
        gradients = jax.grad(loss)(params)

        def update():
            share = drop_fraction(t, 25)
            if method == "rigl":
                moved, after = rigl(params, gradients, mask, share)
            else:
                moved, after = sparse_evolution(jax.random.fold_in(key, t), params, mask, share)
            return moved, forgotten(moments, mask, after), after

        params, moments, mask = jax.lax.cond(t % 3 == 2, update, lambda: carry)
        own = {n: jnp.where(mask[n], g, 0) if n in mask else g for n, g in gradients.items()}
        updates, moments = optimizer.update(own, moments, params)
        params = optax.apply_updates(params, updates)
        stray = sum(jnp.sum(jnp.where(mask[n], 0, params[n]) != 0) for n in mask)
        return (params, moments, mask), (mask, stray, loss(params))

    return jax.lax.scan(step, (params, optimizer.init(params), mask), jnp.arange(30))


@pytest.fixture
def as_optax():
    """Optax mixes types that are strict elsewhere in these tests."""
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.mark.usefixtures("as_optax")
@pytest.mark.parametrize("method", ["rigl", "set"])
def test_counts_stay_exact_and_pruned_weights_zero_inside_a_scan(method):
    members = [problem(seed) for seed in range(2)]
    keys = jax.random.split(jax.random.key(0), 2)
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *members)
    run = jax.jit(jax.vmap(lambda member, key: trained(*member, key, method)))
    (params, _, _), (masks, stray, losses) = run(stacked, keys)
    assert not np.any(stray)
    for name, m in masks.items():
        counts = np.sum(m, axis=(-1, -2))
        expected = [int(member[1][name].sum()) for member in members]
        np.testing.assert_array_equal(counts, np.repeat(np.array(expected)[:, None], 30, axis=1))
        assert np.any(m[:, 0] != m[:, -1])
    assert np.all(losses[:, -1] < losses[:, 0])
    (alone, _, _), (own, _, _) = jax.jit(lambda m, k: trained(*m, k, method))(members[1], keys[1])
    for name, m in own.items():
        np.testing.assert_array_equal(masks[name][1], m)
    for name, value in alone.items():
        np.testing.assert_allclose(params[name][1], value, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("as_optax")
def test_moments_of_what_moved_are_forgotten():
    before = {"k": jnp.array([True, True, False, False])}
    after = {"k": jnp.array([True, False, True, False])}
    params = {"k": jnp.ones(4), "bias": jnp.ones(2)}
    optimizer = optax.adam(0.1)
    _, moments = optimizer.update(params, optimizer.init(params), params)
    found = forgotten(moments, before, after)
    assert jax.tree.structure(found) == jax.tree.structure(moments)
    for leaf in jax.tree.leaves(found[0].mu) + jax.tree.leaves(found[0].nu):
        assert np.count_nonzero(leaf) == (1 if leaf.size == 4 else 2)
    assert int(found[0].count) == 1
