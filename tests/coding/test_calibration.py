"""Moments of layers' inputs: by hand, against a convolution, and in any batches."""

import jax
import numpy as np
import pytest

from capacity.coding.calibration import dense_moments, patch_moments, patches


def test_moments_by_hand():
    moments = dense_moments(np.array([[1.0, 2.0], [3.0, 0.0]]))
    assert moments.inputs.tolist() == [[5.0, 1.0], [1.0, 2.0]]
    assert moments.mean.tolist() == [2.0, 1.0]
    assert moments.gradients is None


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("strides", [(1, 1), (2, 1), (2, 3)])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (2, 4)])
def test_patches_times_a_kernel_are_the_convolution(kernel, strides, padding):
    rng = np.random.default_rng(0)
    images = rng.normal(0, 1, (2, 7, 6, 3)).astype(np.float32)
    weights = rng.normal(0, 1, (*kernel, 3, 5)).astype(np.float32)
    expected = jax.lax.conv_general_dilated(
        images, weights, strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    found = patches(images, kernel, strides=strides, padding=padding) @ weights.reshape(-1, 5)
    assert np.allclose(found.reshape(expected.shape), expected, atol=1e-4)


def test_moments_of_patches_do_not_depend_on_the_batches(monkeypatch):
    images = np.random.default_rng(0).normal(0, 1, (5, 6, 6, 2)).astype(np.float32)
    whole = patch_moments(images, (3, 3))
    flat = patches(images, (3, 3)).astype(np.float64)
    assert np.allclose(whole.inputs, flat.T @ flat / len(flat), atol=1e-5)
    assert whole.places == 36
    monkeypatch.setattr("capacity.coding.calibration._BLOCK", 1)
    parts = patch_moments(images, (3, 3))
    assert np.allclose(whole.inputs, parts.inputs, atol=1e-5)
    assert np.allclose(whole.mean, parts.mean, atol=1e-6)
