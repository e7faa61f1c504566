"""The Gauss-Newton product: against the dense matrix, under masks, and member by member."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from capacity import training
from capacity.information.curvature import effective_parameters, spectrum
from capacity.lottery import dense_mask
from capacity.training import member_keys
from capacity.training.examples import pick


def masks(params):
    """Every third prunable weight of every member is pruned."""
    return {
        name: jnp.arange(mask.size).reshape(mask.shape) % 3 > 0
        for name, mask in dense_mask(params).items()
    }


def member(tree, index):
    return jax.tree.map(lambda leaf: leaf[index], tree)


def dense_gauss_newton(bench, params, mask):
    """sum_i J' (diag p - p p') J in float64, with pruned rows and columns at zero."""
    flat, unravelled = ravel_pytree(params)
    inputs, _ = pick(bench.train, jnp.arange(len(bench.train.labels)))

    def logits(w):
        return bench.model.apply(unravelled(w), inputs)[0]

    said = np.asarray(jax.nn.softmax(logits(flat)), np.float64)
    slopes = np.asarray(jax.jacrev(logits)(flat), np.float64)
    whole = {n: mask[n] if n in mask else jnp.ones(p.shape, bool) for n, p in params.items()}
    slopes = slopes * np.asarray(ravel_pytree(whole)[0])
    outer = np.stack([np.diag(p) - np.outer(p, p) for p in said])
    return np.einsum("nip,nij,njq->pq", slopes, outer, slopes)


def test_the_product_is_that_of_the_dense_matrix(bench):
    params = bench.run(seeds=[0]).state.params
    mask = masks(params)
    params, mask = member(params, 0), member(mask, 0)
    everything = jnp.arange(len(bench.train.labels))
    product = training.gauss_newton_product(bench.model, params, mask, bench.train, everything)
    dense = dense_gauss_newton(bench, params, mask)
    vector = np.random.default_rng(0).normal(size=len(dense)).astype(np.float32)
    np.testing.assert_allclose(
        product(jnp.asarray(vector)), dense @ vector, rtol=1e-4, atol=1e-4 * np.abs(dense).max()
    )


def test_the_effective_number_is_that_of_the_eigenvalues(bench):
    """Without an error of steps or of the draw, so many probes taken that theirs is small."""
    params = bench.run(seeds=[0]).state.params
    mask = masks(params)
    values = np.linalg.eigvalsh(dense_gauss_newton(bench, member(params, 0), member(mask, 0)))
    exact = np.sum(np.maximum(values, 0) / (np.maximum(values, 0) + 2.0))
    found = training.curvature(
        bench.model,
        params,
        mask,
        bench.train,
        jnp.arange(len(bench.train.labels)),
        member_keys([0], "probes"),
        probes=200,
        steps=30,
        chunk=1,
    )
    number = effective_parameters(spectrum(member(found, 0)), 2.0)
    assert number.standard_error < 0.05 * exact
    assert abs(number.value - exact) < 3 * number.standard_error + 1e-3 * exact


def test_a_member_is_what_it_is_alone(bench):
    params = bench.run(seeds=range(3)).state.params
    mask, index = dense_mask(params), jnp.arange(40)
    keys = member_keys(range(3), "probes")

    def found(params, mask, keys, chunk):
        return training.curvature(
            bench.model, params, mask, bench.train, index, keys, probes=2, steps=8, chunk=chunk
        )

    together = found(params, mask, keys, 3)
    alone = found(member(params, slice(2, 3)), member(mask, slice(2, 3)), keys[2:], 1)
    for all_, one in zip(together, alone, strict=True):
        np.testing.assert_allclose(all_[2], one[0], rtol=1e-3, atol=1e-3)


def test_a_part_of_the_examples_stands_for_all(bench):
    """Scaled by N / n: the same examples twice are the same matrix."""
    params = member(bench.initial([0]), 0)
    mask = member(dense_mask(bench.initial([0])), 0)
    half = jnp.arange(len(bench.train.labels) // 2)
    vector = jnp.ones(sum(leaf.size for leaf in params.values()))
    once, twice = (
        training.gauss_newton_product(bench.model, params, mask, bench.train, index)(vector)
        for index in (half, jnp.concatenate([half, half]))
    )
    np.testing.assert_allclose(once, twice, rtol=1e-4, atol=1e-4)


def test_batches_that_are_not_full_count_every_example_once(bench):
    """501 examples make two batches, of 251 and 250; each example of 90 alone is a batch."""
    params = member(bench.initial([0]), 0)
    mask = member(dense_mask(bench.initial([0])), 0)
    index = jnp.arange(501) % len(bench.train.labels)
    vector = jnp.ones(sum(leaf.size for leaf in params.values()))

    @jax.jit
    def product(index):
        return training.gauss_newton_product(bench.model, params, mask, bench.train, index)(vector)

    alone = [np.asarray(product(index[i : i + 1]), np.float64) for i in range(90)]
    each = sum(alone[i % 90] for i in range(501))
    np.testing.assert_allclose(product(index), each / 501, rtol=1e-3, atol=1e-3)
