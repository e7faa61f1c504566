"""A sketch is never above the spectrum, exact where the rank suffices, and within its bound."""

import jax
import jax.numpy as jnp
import numpy as np

from capacity.saturation import leading, no_sketch, sketched


def decaying(count=2000, width=200, power=1.0, mean=3.0, seed=0):
    draw = np.random.default_rng(seed)
    turned = np.linalg.qr(draw.normal(size=(width, width)))[0]
    scales = np.arange(1, width + 1) ** -power
    return (draw.normal(size=(count, width)) * scales @ turned + mean).astype(np.float32)


def streamed(samples, rank, key=0):
    found = no_sketch(samples.shape[1], rank, jax.random.key(key))
    for part in np.array_split(samples, 7):
        found = sketched(found, jnp.asarray(part))
    return leading(found)


def eigenvalues(samples):
    return np.linalg.eigvalsh(np.cov(samples.astype(np.float64), rowvar=False, bias=True))[::-1]


def test_a_sketch_lies_below_the_spectrum_and_the_rest_is_what_it_lacks():
    samples = decaying()
    values, found = eigenvalues(samples), streamed(samples, rank=40)
    assert np.all(np.asarray(found.values) <= values[:40] * (1 + 1e-4) + 1e-6)
    np.testing.assert_allclose(found.rest, values.sum() - np.sum(found.values), rtol=1e-3)


def test_the_error_is_within_its_bound_in_the_mean():
    samples, rank = decaying(), 40
    values = eigenvalues(samples)
    rests = [float(streamed(samples, rank, key).rest) for key in range(10)]
    bounds = [(1 + k / (rank - k - 1)) * values[k:].sum() for k in range(rank - 1)]
    assert np.mean(rests) <= min(bounds)


def test_outputs_of_few_directions_are_sketched_exactly():
    draw = np.random.default_rng(1)
    samples = (draw.normal(size=(500, 5)) @ draw.normal(size=(5, 64))).astype(np.float32)
    found = streamed(samples, rank=12)
    values = eigenvalues(samples)[:5]
    np.testing.assert_allclose(found.values[:5], values, rtol=1e-3)
    assert float(found.rest) < 1e-3 * values.sum()
