"""Streaming covariance against float64 numpy, whatever the batches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.saturation import (
    batch_moments,
    covariance,
    effective_rank,
    merged,
    no_moments,
    spectrum,
)

CUTS = [(0, 60), (60, 61), (61, 300), (300, 437)]  # a short batch and one of a single sample


def correlated(count=437, width=12, mean=0.0, seed=0):
    draw = np.random.default_rng(seed)
    mixing = draw.normal(size=(width, width)) * 0.7 ** np.arange(width)
    return (draw.normal(size=(count, width)) @ mixing + mean).astype(np.float32)


def streamed(samples, cuts=CUTS):
    found = no_moments(samples.shape[1])
    for first, last in cuts:
        found = merged(found, batch_moments(jnp.asarray(samples[first:last])))
    return found


@pytest.mark.parametrize("mean", [0.0, 500.0])
def test_batches_of_any_size_give_the_covariance_of_all_samples(mean):
    samples = correlated(mean=mean)
    reference = np.cov(samples.astype(np.float64), rowvar=False, bias=True)
    values = np.linalg.eigvalsh(reference)[::-1]
    found = streamed(samples)
    np.testing.assert_allclose(found.mean, samples.astype(np.float64).mean(0), rtol=1e-5, atol=1e-5)
    # In float32, deviations of 1 around a mean of 500 are given to 3e-5 themselves.
    tolerance = 1e-5 if mean == 0 else 1e-4
    np.testing.assert_allclose(covariance(found), reference, atol=tolerance * values[0])
    np.testing.assert_allclose(spectrum(found), values, atol=tolerance * values[0])


def test_two_streams_merge_to_one():
    samples = correlated()
    whole = streamed(samples)
    parts = merged(streamed(samples, CUTS[:2]), streamed(samples, CUTS[2:]))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-4)


def test_two_points_by_hand():
    found = batch_moments(jnp.array([[1.0, 0.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(found.mean, [2, 2])
    np.testing.assert_array_equal(found.scatter, [[2, 4], [4, 8]])
    np.testing.assert_allclose(spectrum(found), [5, 0], atol=1e-6)


def test_no_samples_and_constant_ones_have_no_variance():
    for found in (no_moments(3), batch_moments(jnp.full((5, 3), 7.0))):
        np.testing.assert_array_equal(spectrum(found), 0)


def test_units_that_never_change_add_no_direction():
    """108 of 120 units are dead: 108 exact zeros, and the effective rank of the others alone."""
    living = np.maximum(correlated(), 0)
    samples = np.zeros((len(living), 120), np.float32)
    samples[:, ::10] = living
    found = spectrum(batch_moments(jnp.asarray(samples)))
    values = np.linalg.eigvalsh(np.cov(living.astype(np.float64), rowvar=False, bias=True))
    np.testing.assert_array_equal(found[12:], 0)
    shares = np.sqrt(values) / np.sqrt(values).sum()
    rank = np.exp(-np.sum(shares * np.log(shares)))
    np.testing.assert_allclose(effective_rank(found), rank, rtol=1e-4)


def test_each_network_of_a_population_has_its_own():
    population = np.stack([correlated(seed=s) for s in range(3)])
    together = jax.vmap(batch_moments)(jnp.asarray(population))
    for seed in range(3):
        alone = batch_moments(jnp.asarray(population[seed]))
        np.testing.assert_allclose(together.scatter[seed], alone.scatter, rtol=1e-4, atol=1e-3)
