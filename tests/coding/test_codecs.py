"""Codecs: entropy from below, entropy and the stated overhead from above, and round trips."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capacity.coding import categorical, octaves
from capacity.coding.codecs import CODECS, shortest_payload
from capacity.coding.errors import CorruptFile
from capacity.coding.range_coder import decoded_indices, encoded_indices
from capacity.coding.table import bit_widths
from capacity.information.entropy import symbol_entropy

EXTREME = 2**31 - 1


@st.composite
def drawn_symbols(draw):
    """Symbols of many shapes of distribution: peaked, sparse, flat, shifted, far apart."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 1000))
    scale = draw(st.sampled_from([0.2, 1.0, 5.0, 60.0, 500.0, 1e8]))
    law = draw(st.sampled_from(["normal", "laplace", "uniform"]))
    draws = getattr(generator, law)(size=n) * scale
    kept = generator.random(n) < draw(st.sampled_from([0.0, 0.02, 0.3, 1.0]))
    shift = draw(st.sampled_from([0, 0, 7, -(10**6)]))
    return np.clip(np.rint(draws * kept) + shift, -EXTREME, EXTREME).astype(np.int32)


extreme_symbols = hnp.arrays(
    np.int32, st.integers(1, 30), elements=st.integers(-EXTREME, EXTREME) | st.integers(-2, 2)
)


def exact_table_bits(symbols):
    """Length of the categorical codec's table if no bit of a count is left out."""
    counts = np.bincount(symbols.astype(np.int64) - symbols.min())
    widths = bit_widths(counts)
    first = 2 * abs(int(symbols.min())) + 1
    change = np.abs(np.diff(widths, prepend=0))
    ends = 2 * first.bit_length() - 1 + 2 * len(counts).bit_length() - 1 + 5
    return ends + int(np.sum(2 * bit_widths(change) + 1 + np.maximum(widths - 1, 0)))


@settings(deadline=None, max_examples=60)
@given(drawn_symbols() | extreme_symbols)
def test_symbols_come_back_from_every_codec(symbols):
    for codec in CODECS.values():
        payload = codec.encode(symbols)
        if payload is not None:
            decoded = codec.decode(payload, symbols.shape)
            assert decoded.dtype == np.int32
            assert np.array_equal(decoded, symbols)


@settings(deadline=None, max_examples=60)
@given(drawn_symbols() | extreme_symbols)
def test_no_payload_beats_the_zero_order_entropy(symbols):
    _, payload = shortest_payload(symbols)
    assert 8 * len(payload) >= len(symbols) * symbol_entropy(symbols) - 1e-6


@settings(deadline=None)
@given(drawn_symbols())
def test_a_categorical_payload_is_entropy_and_the_stated_overhead(symbols):
    payload = categorical.encode(symbols)
    if payload is not None:
        n, levels = len(symbols), len(np.unique(symbols))
        overhead = exact_table_bits(symbols) + 16 + 0.0056 * n + 1.5 * n * levels / 2**24
        assert 8 * len(payload) <= n * symbol_entropy(symbols) + overhead + 1e-6


def test_a_million_sparse_symbols_are_within_a_thousandth_of_their_entropy():
    generator = np.random.default_rng(0)
    symbols = np.rint(generator.laplace(size=10**6) * 2 * (generator.random(10**6) < 0.1))
    symbols = symbols.astype(np.int32)
    payload = categorical.encode(symbols)
    assert payload is not None
    assert 8 * len(payload) <= 1.001 * len(symbols) * symbol_entropy(symbols)


def test_fine_steps_are_within_a_hundredth_of_what_their_density_needs():
    generator = np.random.default_rng(0)
    symbols = np.rint(generator.normal(size=100_000) * 3e5).astype(np.int32)
    number, payload = shortest_payload(symbols)
    # differential entropy of the normal law: log2(sigma sqrt(2 pi e)) = 20.24 bits
    needed = np.log2(3e5 * np.sqrt(2 * np.pi * np.e))
    assert number == 2
    assert 8 * len(payload) / len(symbols) == pytest.approx(needed, rel=0.01)


@pytest.mark.parametrize("value", [0, -1, 17, EXTREME, -EXTREME])
def test_one_distinct_value_costs_its_table_whatever_the_size(value):
    short = categorical.encode(np.full(1, value, np.int32))
    assert short is not None
    assert categorical.encode(np.full(100_000, value, np.int32)) == short
    assert len(short) <= 9
    assert categorical.decode(short, (3,)).tolist() == [value] * 3


def test_many_levels_need_no_table():
    symbols = np.random.default_rng(0).permutation(10**5).astype(np.int32)
    number, payload = shortest_payload(symbols)
    assert number == 2
    assert np.array_equal(octaves.decode(payload, (10**5,)), symbols)
    assert 8 * len(payload) / 10**5 < 17.2  # log2 100000 = 16.6


@settings(deadline=None)
@given(st.integers(2, 9), st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_the_range_coder_writes_the_information_in_whole_bytes(levels, n, seed):
    generator = np.random.default_rng(seed)
    counts = generator.integers(1, 2 ** generator.integers(1, 30), levels)
    indices = generator.choice(levels, n, p=counts / counts.sum())
    data = encoded_indices(indices, counts)
    assert np.array_equal(decoded_indices(data, counts, n), indices)
    information = float(-np.log2(counts / counts.sum())[indices].sum())
    slack = 0.0056 * n + 1.5 * n * levels / 2**24
    assert information - n * levels / 2**22 <= 8 * len(data) <= information + slack + 8


def test_code_words_of_the_range_coder():
    # seven fair bits, 0 the lower half each time: [0.0101100, 0.0101101) begins at 0x58 / 256
    bits = np.array([0, 1, 0, 1, 1, 0, 0])
    assert encoded_indices(bits, np.array([1, 1])) == b"\x58"
    # an eighth takes a second byte, since the coder's first interval is 1 - 2^-64 wide
    assert encoded_indices(np.append(bits, 1), np.array([1, 1])) == b"\x59\x00"


@settings(deadline=None)
@given(st.sampled_from(sorted(CODECS)), st.binary(max_size=60), st.integers(1, 300))
def test_foreign_payloads_are_symbols_or_corrupt(number, payload, n):
    try:
        symbols = CODECS[number].decode(payload, (n,))
    except CorruptFile:
        return
    assert symbols.shape == (n,)
