"""The line between two networks: its ends, its barrier, and a case solved by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.pruning import interpolated, line

ALPHAS = jnp.linspace(0, 1, 5)[1:-1]


def hat(params):
    """1 - w^2 from -1 to 1: networks at both ends are right, and half way all is wrong."""
    return 1 - jnp.sum(params["w"] ** 2)


def test_the_barrier_by_hand():
    found = line(hat, {"w": jnp.array([-1.0])}, {"w": jnp.array([1.0])}, ALPHAS)
    np.testing.assert_allclose(found.alphas, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(found.losses, [0, 0.75, 1, 0.75, 0])
    assert float(found.barrier) == 1
    # From w = -1 (loss 0) to w = 0.5 (0.75): largest 0.984375 at -0.125, minus 0.375.
    skewed = line(hat, {"w": jnp.array([-1.0])}, {"w": jnp.array([0.5])}, ALPHAS[:2])
    np.testing.assert_allclose(skewed.losses, [0, 1 - 0.625**2, 1 - 0.25**2, 0.75])
    assert float(skewed.barrier) == pytest.approx(0.9375 - 0.375)


def test_a_valley_has_no_barrier():
    valley = line(lambda p: -hat(p), {"w": jnp.array([-1.0])}, {"w": jnp.array([1.0])}, ALPHAS)
    assert float(valley.barrier) == 0


def test_the_ends_are_the_networks_and_masks_hold():
    draw = np.random.default_rng(0)
    mask = draw.random((4, 3)) < 0.5
    ends = [{"k": jnp.asarray(draw.normal(size=(4, 3)) * mask, jnp.float32)} for _ in range(2)]
    for alpha, end in ((0.0, ends[0]), (1.0, ends[1])):
        np.testing.assert_array_equal(interpolated(*ends, jnp.float32(alpha))["k"], end["k"])
    between = interpolated(*ends, jnp.float32(0.3))["k"]
    assert not np.any(np.asarray(between)[~mask])
    np.testing.assert_allclose(
        between, 0.7 * np.asarray(ends[0]["k"]) + 0.3 * np.asarray(ends[1]["k"]), rtol=1e-6
    )


def test_a_population_of_pairs_is_its_members():
    draw = np.random.default_rng(1)
    first, second = (jnp.asarray(draw.normal(size=(3, 2)), jnp.float32) for _ in range(2))
    together = jax.jit(jax.vmap(lambda a, b: line(hat, {"w": a}, {"w": b}, ALPHAS)))(first, second)
    for i in range(3):
        alone = line(hat, {"w": first[i]}, {"w": second[i]}, ALPHAS)
        np.testing.assert_allclose(together.losses[i], alone.losses, rtol=1e-6)
        assert float(together.barrier[i]) == pytest.approx(float(alone.barrier), rel=1e-6)
