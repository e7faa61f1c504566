"""Logarithms and powers in integers: numpy's to the last bit that is told, and exact values."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capacity.coding.fixed_point import FRACTION, ONE, exp2, log2


@given(hnp.arrays(np.int64, st.integers(1, 20), elements=st.integers(1, 2**31 - 1)))
def test_logarithms_are_rounded_down(values):
    exact = np.log2(values.astype(np.float64)) * ONE
    assert np.all(np.abs(log2(values) - exact + 0.5) <= 0.5 + 2**-6)


@given(hnp.arrays(np.int64, st.integers(1, 20), elements=st.integers(-60 * ONE, 38 * ONE)))
def test_powers_are_rounded_down(values):
    exact = np.exp2(values / ONE + FRACTION)
    assert np.all(np.abs(exp2(values, FRACTION) - exact) <= 1 + 1e-7 * exact)


@given(st.integers(1, 2**30))
def test_a_power_undoes_a_logarithm(value):
    back = exp2(log2(np.array([value])), 0)[0]
    assert value * (1 - 2e-7) - 1 <= back <= value


def test_exact_values():
    assert log2(np.array([1, 2, 1024, 3])).tolist() == [0, ONE, 10 * ONE, 26591258]  # 1.58496250
    assert exp2(np.array([0, ONE, -ONE, ONE // 2]), 30).tolist() == [
        2**30,
        2**31,
        2**29,
        1518500249,  # the root of 2 is 1.41421356
    ]
