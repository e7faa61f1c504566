"""Clusters of weights: scikit-learn's from the same start, zeros apart, and the trivial cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from capacity.coding import UnquantisableTensor, decode, dequantised, encode, kmeans


@pytest.mark.parametrize("seed", range(3))
def test_the_clusters_are_those_of_scikit_learn(seed):
    weights = np.tanh(np.random.default_rng(seed).normal(size=3000)).astype(np.float32)  # no tails
    start = np.linspace(weights.min(), weights.max(), 16).reshape(-1, 1)
    reference = KMeans(16, init=start, n_init=1, max_iter=1000, tol=0).fit(weights.reshape(-1, 1))
    ours = dequantised(kmeans(weights, 16)).astype(np.float64)
    assert np.sum((weights - ours) ** 2) == pytest.approx(reference.inertia_, rel=1e-3)


def test_a_centre_that_loses_its_weights_is_used_elsewhere():
    # of the start 0, 25, 50, 75, 100 the three in the middle have no weights
    weights = np.array([0.0, 1, 2, 3, 100]) + 1
    assert np.array_equal(dequantised(kmeans(weights, 5)), weights)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.sampled_from([0.0, 0.1, 1.0]))
def test_every_weight_has_the_nearest_level_and_zero_is_one_apart(seed, levels, kept):
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=(20, 15)) * (generator.random((20, 15)) < kept)
    quantised = kmeans(weights, levels)
    codebook = quantised.codebook
    assert codebook is not None
    assert len(codebook) <= levels
    assert np.all(np.diff(codebook) > 0)
    back = dequantised(quantised)
    assert np.array_equal(back == 0, weights == 0)
    others = codebook[codebook != 0].astype(np.float64)
    nonzero = weights != 0
    if nonzero.any():
        gaps = np.abs(weights[nonzero][:, None] - others)
        assert np.all(np.abs(weights - back)[nonzero] <= gaps.min(axis=1) + 1e-6)
    assert decode(encode({"w": quantised}))["w"].tobytes() == back.tobytes()


def test_two_clusters_by_hand():
    # from 1 and 11: {1, 2} and {9, 11}, and their means part the weights likewise
    quantised = kmeans(np.array([1, 2, 9, 11], np.float16), 2)
    assert quantised.codebook is not None
    assert quantised.codebook.tolist() == [1.5, 10]
    assert quantised.symbols.tolist() == [0, 0, 1, 1]
    assert quantised.dtype == "float16"
    with_zero = kmeans(np.array([0, 1, 2, 9, 11, 0]), 3)
    assert with_zero.codebook is not None
    assert with_zero.codebook.tolist() == [0, 1.5, 10]
    assert with_zero.symbols.tolist() == [0, 1, 1, 2, 2, 0]


@pytest.mark.parametrize("shape", [(), (0, 3), (4,)])
@pytest.mark.parametrize("value", [0.0, -0.5])
def test_few_weights_are_their_own_levels(shape, value):
    weights = np.full(shape, value)
    assert np.array_equal(dequantised(kmeans(weights, 5)), weights)


def test_what_has_no_mean_is_refused():
    with pytest.raises(UnquantisableTensor, match="w: 1 of 2 weights are NaN"):
        kmeans(np.array([np.nan, 1]), 4, "w")
    with pytest.raises(UnquantisableTensor, match="w: weights beyond float32"):
        kmeans(np.array([1e300, 1]), 4, "w")
    with pytest.raises(UnquantisableTensor, match="w: a codebook of 1 levels"):
        kmeans(np.ones(3), 1, "w")
