"""Convolutions as products of patches: values and gradients are those of `jax.lax`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.models.convolution import convolve, max_pooled, patches


def test_patches_by_hand():
    image = jnp.arange(9.0).reshape(1, 3, 3, 1)
    found = patches(image, (2, 2), (1, 1), ((0, 0), (0, 0)))
    assert found.shape == (1, 2, 2, 4)
    assert found[0, 0, 0].tolist() == [0, 1, 3, 4]
    assert found[0, 1, 1].tolist() == [4, 5, 7, 8]
    framed = patches(image, (2, 2), (2, 2), ((1, 0), (1, 0)))
    assert framed[0, 0, 0].tolist() == [0, 0, 0, 0]
    assert framed[0, 1, 0].tolist() == [0, 3, 0, 6]


@pytest.mark.parametrize("shape", [(2, 6, 4, 3), (2, 7, 5, 3)])
def test_pooling_and_its_gradient_ties_included(shape):
    """Whole numbers from 0 to 3, so that many are equal: the first of them gets the gradient."""
    rng = np.random.default_rng(0)
    images = jnp.asarray(rng.integers(0, 4, shape), jnp.float32)
    weights = jnp.asarray(rng.normal(size=(2, shape[1] // 2, shape[2] // 2, 3)), jnp.float32)

    def windows(images):
        return jax.lax.reduce_window(
            images, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"
        )

    np.testing.assert_array_equal(max_pooled(images), windows(images))
    found, expected = (
        jax.grad(lambda x, pool=pool: jnp.sum(weights * pool(x)))(images)
        for pool in (max_pooled, windows)
    )
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("padding", ["SAME", "VALID", ((2, 0), (1, 3))])
@pytest.mark.parametrize("strides", [(1, 1), (2, 1), (2, 3)])
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 4)])
def test_a_convolution_and_its_gradients(size, strides, padding):
    rng = np.random.default_rng(0)
    images = jnp.asarray(rng.normal(0, 1, (2, 7, 6, 3)), jnp.float32)
    kernel = jnp.asarray(rng.normal(0, 1, (*size, 3, 5)), jnp.float32)
    layout = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}

    def loss(function):
        return lambda *operands: jnp.sin(function(*operands, strides, padding, **layout)).sum()

    found = jax.value_and_grad(loss(convolve), (0, 1))(images, kernel)
    expected = jax.value_and_grad(loss(jax.lax.conv_general_dilated), (0, 1))(images, kernel)
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert np.allclose(ours, theirs, atol=1e-4)
