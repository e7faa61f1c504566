"""The parametric law: close to the laws that it is named after, and exact in its integers."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.coding import CorruptFile, categorical, parametric
from capacity.coding.parametric import PEAK, Law, frequencies

DIGEST = "954fa37a481c9850a9f689a9fd021c0ef3647678d9736b19ee2a0a057320d0da"
LAWS = {
    "laplace": lambda generator, n: generator.laplace(size=n) * 20,
    "normal": lambda generator, n: generator.normal(size=n) * 40,
    "shifted": lambda generator, n: generator.normal(size=n) * 9 + 700,
    "sparse": lambda generator, n: generator.laplace(size=n) * 9 * (generator.random(n) < 0.1),
}


@pytest.mark.parametrize("law", LAWS)
def test_a_law_of_the_family_costs_its_entropy_and_a_few_bytes(law):
    symbols = np.rint(LAWS[law](np.random.default_rng(0), 10**5)).astype(np.int32)
    payload = parametric.encode(symbols)
    assert payload is not None
    assert np.array_equal(parametric.decode(payload, symbols.shape), symbols)
    _, counts = np.unique(symbols, return_counts=True)
    entropy = float(-(counts * np.log2(counts / counts.sum())).sum())
    # what a fit of finite resolution loses is far below a thousandth; the plug-in entropy is
    # itself too low by half a level's worth of nats a level
    assert entropy <= 8 * len(payload) <= 1.0015 * entropy + 80
    if law != "sparse":
        table = categorical.encode(symbols)
        assert table is not None
        assert len(payload) < len(table)


def test_frequencies_by_hand():
    # shape 15 is an exponent of 1; spread 512 + 16 a distance of 2 per bit below the peak
    halves = frequencies(Law(-4, 9, 15, 528, 0, 0)) / 2.0**PEAK
    assert halves == pytest.approx(np.exp2(-np.abs(np.arange(-4, 5)) / 2), rel=1e-6)
    # shape 31 is 2: a Gaussian, around 3 / 8, with two bits more for 0
    gaussian = frequencies(Law(-2, 5, 31, 512, 3, 16)) / 2.0**PEAK
    expected = np.exp2(-((np.arange(-2, 3) - 3 / 8) ** 2)) * [1, 1, 4, 1, 1]
    assert gaussian == pytest.approx(expected, rel=1e-6)


def test_frequencies_are_the_same_integers_on_every_machine():
    digest = hashlib.sha256()
    for shape in (0, 7, 15, 31, 63):
        for spread in (0, 400, 512, 700, 2047):
            law = Law(-3000, 6001, shape, spread, 5, -20)
            digest.update(frequencies(law).astype("<i8").tobytes())
    assert digest.hexdigest() == DIGEST


@settings(deadline=None)
@given(
    st.integers(-(2**31) + 2**16, 2**31 - 2**16) | st.integers(-5, 0),
    st.integers(2, 2**16),
    st.integers(0, 63),
    st.integers(0, 2047),
    st.integers(-(2**34), 2**34),
    st.integers(-255, 255),
)
def test_every_law_that_can_be_told_has_frequencies(first, levels, shape, spread, centre, mass):
    found = frequencies(Law(first, levels, shape, spread, centre, mass))
    assert found.min() >= 1
    assert sum(found.tolist()) < 2**63


def test_what_the_law_is_not_for():
    assert parametric.encode(np.zeros(5, np.int32)) is None
    assert parametric.encode(np.array([0, 10**6], np.int32)) is None


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"", "ends too early"),
        (b"\xc0\x00\x00\x00", "a law over 1 levels"),
        (b"\x80\x00\x10\x00\x00\x00\x00\x00", "a law over 262144 levels"),
    ],
)
def test_what_no_encoder_writes_is_corrupt(payload, message):
    with pytest.raises(CorruptFile, match=message):
        parametric.decode(payload, (3,))


@pytest.mark.parametrize("first", [-40000, -7, 0, 3])
@pytest.mark.parametrize("levels", [2, 14, 5000])
def test_the_bits_of_a_head_are_those_of_its_bytes(first, levels):
    values = np.array([0, 0, 1, -1, 7, -8, 255, -255])
    bits = parametric._head_bits(first, levels, values, values[::-1])
    for centre, mass, told in zip(values.tolist(), values[::-1].tolist(), bits, strict=True):
        law = parametric.Law(first, levels, 15, 512, centre, mass)
        assert told == 8 * len(parametric._head(law))
