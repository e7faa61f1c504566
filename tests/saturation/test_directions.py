"""Counts of directions against their definitions in float64, and spectra worked by hand."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.saturation import (
    effective_rank,
    intrinsic_dimension,
    layer_saturation,
    participation_ratio,
    stable_rank,
)

spectra = st.lists(st.floats(2**-20, 2**20, width=32), min_size=1, max_size=40).map(
    lambda values: np.sort(np.asarray(values, np.float32))[::-1].copy()
)


def by_definition(spectrum, delta):
    """The smallest k, and whether float32 could see it otherwise."""
    shares = np.cumsum(spectrum.astype(np.float64)) / spectrum.astype(np.float64).sum()
    return int(np.argmax(shares >= delta)) + 1, bool(np.min(np.abs(shares - delta)) < 1e-5)


@settings(deadline=None)  # every new width compiles
@given(spectra, st.sampled_from([0.5, 0.9, 0.97, 0.99, 0.9995]))
def test_as_many_directions_as_the_definition_says(spectrum, delta):
    wanted, on_the_edge = by_definition(spectrum, delta)
    found = int(intrinsic_dimension(jnp.asarray(spectrum), delta))
    assert found == wanted or on_the_edge
    assert int(intrinsic_dimension(jnp.asarray(spectrum), delta, rule="delve")) == found - 1


@settings(deadline=None)  # every new width compiles
@given(spectra)
def test_every_count_lies_between_one_and_the_width(spectrum):
    values = jnp.asarray(spectrum)
    for count in (effective_rank, stable_rank, participation_ratio, intrinsic_dimension):
        assert 1 - 1e-5 <= float(count(values)) <= len(spectrum) * (1 + 1e-5)
    # Of unequal eigenvalues the larger ones count for more in the participation ratio.
    assert float(participation_ratio(values)) <= float(effective_rank(values)) * (1 + 1e-4)


def test_a_spectrum_by_hand():
    values = jnp.array([9.0, 4.0, 1.0, 0.0])
    assert int(intrinsic_dimension(values, 0.9)) == 2  # 13 of 14 are 0.929
    assert int(intrinsic_dimension(values, 0.95)) == 3
    assert float(layer_saturation(values, 0.95)) == 0.75
    assert float(stable_rank(values)) == pytest.approx(14 / 9)
    assert float(participation_ratio(values)) == pytest.approx(14**2 / 98)
    # Singular values 3, 2, 1: shares 1/2, 1/3, 1/6.
    entropy = np.log(2) / 2 + np.log(3) / 3 + np.log(6) / 6
    assert float(effective_rank(values)) == pytest.approx(np.exp(entropy), rel=1e-6)


def test_equal_directions_all_count_and_none_does_without_variance():
    equal, nothing = jnp.full(8, 2.0), jnp.zeros(8)
    for count in (effective_rank, stable_rank, participation_ratio):
        assert float(count(equal)) == pytest.approx(8, rel=1e-6)
        assert float(count(nothing)) == 0
    assert int(intrinsic_dimension(equal, 1.0)) == 8
    assert int(intrinsic_dimension(nothing)) == 0


def test_a_share_beyond_the_whole_is_refused():
    with pytest.raises(ValueError, match=r"delta = 1.5: a share of the variance is above 0"):
        intrinsic_dimension(jnp.ones(3), 1.5)
