"""Fields of a float32: by hand, and the Gaussian's 2.54 bits of exponent whatever its deviation."""

import numpy as np
import pytest
from scipy.stats import norm

from capacity.information import float_fields


def test_fields_worked_by_hand():
    """1, -1.5, 2, 4: a sign in four, exponents 127, 127, 128, 129, one set mantissa bit in four."""
    found = float_fields(np.asarray([1, -1.5, 2, 4], np.float32))
    quarter = 0.25 * 2 + 0.75 * np.log2(4 / 3)
    assert found.sign == pytest.approx(quarter)
    assert found.exponent == pytest.approx(1.5)
    assert found.mantissa == pytest.approx(quarter)


def test_zero_and_minus_zero_differ_in_sign_alone():
    assert float_fields(np.asarray([0.0, -0.0], np.float32)) == (1, 0, 0)


@pytest.mark.parametrize("deviation", [0.01, 0.02, 0.03, 1.0, 1.37])
def test_a_gaussian_has_the_exponents_of_its_octaves(deviation):
    values = (deviation * np.random.default_rng(0).normal(size=100_000)).astype(np.float32)
    octaves = np.exp2(np.arange(-60, 10))
    shares = 2 * np.diff(norm.cdf(octaves / deviation))
    shares = shares[shares > 0]
    exact = -np.sum(shares * np.log2(shares))
    found = float_fields(values)
    assert 2.54 < exact < 2.55
    assert found.exponent == pytest.approx(exact, abs=0.01)
    assert found.sign == pytest.approx(1, abs=1e-3)
    assert 22.9 < found.mantissa < 23


def test_the_mantissa_is_no_less_than_its_bits_together():
    """Mantissas 0 and all ones: one bit, though each of the 23 looks like one."""
    values = np.asarray([1.0, np.nextafter(np.float32(2), np.float32(0))], np.float32)
    assert float_fields(values).mantissa == 23


def test_other_types_and_no_values_are_refused():
    with pytest.raises(ValueError, match="float64"):
        float_fields(np.ones(3))
    with pytest.raises(ValueError, match="counts are all zero"):
        float_fields(np.ones(0, np.float32))
