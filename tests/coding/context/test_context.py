"""The context codecs: round trips, exact bytes, and the structure that they are there to find."""

import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.coding import categorical, context
from capacity.coding.context import CORRELATED, FAST, codec
from capacity.coding.context.symbol import UNARY
from capacity.coding.errors import CorruptFile

BOTH = pytest.mark.parametrize("partners", [FAST, CORRELATED])
EXTREME = 2**31 - 1


def structured(seed=0, rows=60, columns=80):
    """A pruned layer: dead columns, weak rows, each column like the one four before it."""
    generator = np.random.default_rng(seed)
    real = generator.laplace(size=(rows, columns)) * generator.uniform(0.2, 2, (rows, 1))
    for column in range(4, columns):
        real[:, column] += 0.9 * real[:, column - 4]
    real[:, generator.random(columns) < 0.3] = 0
    return np.where(np.abs(real) > 1, np.rint(real), 0).astype(np.int32)


def zero_order(symbols):
    counts = np.unique(symbols, return_counts=True)[1]
    return float(-(counts * np.log2(counts / counts.sum())).sum()) / 8


@BOTH
@pytest.mark.parametrize("shape", [(), (1,), (9,), (3, 4), (1, 5), (5, 1), (2, 3, 4, 5)])
def test_any_shape_comes_back(partners, shape):
    drawn = np.random.default_rng(1).laplace(size=shape) * 2
    symbols = np.asarray(np.rint(drawn), np.int32)
    payload = context.encode(symbols, partners)
    assert payload is not None
    decoded = context.decode(payload, shape, partners)
    assert decoded.dtype == np.int32
    assert decoded.shape == shape
    assert np.array_equal(decoded, symbols)


@BOTH
@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_symbols_come_back(partners, data):
    shape = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 300)))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    scale = data.draw(st.sampled_from([0.1, 0.5, 1.0, 3.0]))
    symbols = np.clip(np.rint(generator.laplace(size=shape) * scale), -6, 6).astype(np.int32)
    payload = context.encode(symbols, partners)
    assert payload is not None
    assert np.array_equal(context.decode(payload, shape, partners), symbols)


@BOTH
@pytest.mark.parametrize("odd", [16, 17, 18, 100, 2**16, EXTREME, -EXTREME])
def test_a_magnitude_beyond_the_unary_ones_comes_back(partners, odd, monkeypatch):
    monkeypatch.setattr(codec, "_DENSE", np.inf)
    symbols = structured()
    symbols[7, 9] = odd
    payload = context.encode(symbols, partners)
    assert payload is not None
    assert np.array_equal(context.decode(payload, symbols.shape, partners), symbols)


@BOTH
@pytest.mark.parametrize("bits", range(5, 32))
def test_no_magnitude_outgrows_its_room(partners, bits, monkeypatch):
    monkeypatch.setattr(codec, "_DENSE", np.inf)
    for most in (2**bits - 1, 2 ** (bits - 1) + UNARY):
        symbols = np.random.default_rng(0).choice([0, most, -most], (9, 30)).astype(np.int32)
        payload = context.encode(symbols, partners)
        assert payload is not None
        assert np.array_equal(context.decode(payload, symbols.shape, partners), symbols)


@BOTH
def test_symbols_of_others_are_only_read(partners):
    symbols = structured()
    symbols.flags.writeable = False
    assert context.encode(symbols, partners) == context.encode(symbols.copy(), partners)


def test_large_magnitudes_are_left_to_others():
    assert context.encode(np.full((4, 4), 7, np.int32), FAST) is None


def test_each_step_of_modelling_finds_its_structure():
    symbols = structured(rows=300, columns=200)
    fast = len(context.encode(symbols, FAST) or b"")
    correlated = len(context.encode(symbols, CORRELATED) or b"")
    static = len(categorical.encode(symbols) or b"")
    assert fast < 0.8 * static
    assert correlated < 0.95 * fast
    assert zero_order(symbols) <= static


@BOTH
def test_independent_symbols_cost_little_more_than_their_entropy(partners):
    drawn = np.random.default_rng(3).laplace(size=(200, 200))
    symbols = np.rint(drawn).astype(np.int32)
    payload = context.encode(symbols, partners)
    assert payload is not None
    assert len(payload) < 1.03 * zero_order(symbols)


@BOTH
def test_stripes_and_threads_change_no_symbol(partners, monkeypatch):
    symbols = structured(rows=100)
    whole = context.encode(symbols, partners)
    monkeypatch.setitem(codec._STRIPE, partners, 2000)
    payload = context.encode(symbols, partners)
    assert payload != whole
    assert payload is not None
    assert np.array_equal(context.decode(payload, symbols.shape, partners), symbols)


@BOTH
def test_coding_in_portions_changes_no_byte(partners, monkeypatch):
    symbols = structured()
    whole = context.encode(symbols, partners)
    monkeypatch.setattr(codec, "_PORTION", 500)
    assert context.encode(symbols, partners) == whole


@pytest.mark.parametrize(
    ("partners", "length", "checksum"), [(FAST, 1312, 4258135931), (CORRELATED, 1246, 3876470449)]
)
def test_the_bytes_are_part_of_the_format(partners, length, checksum):
    payload = context.encode(structured(), partners)
    assert payload is not None
    assert (len(payload), zlib.crc32(payload)) == (length, checksum)


@BOTH
def test_a_decoder_that_never_saw_the_encoder(partners, tmp_path):
    symbols = structured()
    payload = context.encode(symbols, partners)
    assert payload is not None
    (tmp_path / "payload").write_bytes(payload)
    script = (
        "import sys, numpy as np; from capacity.coding import context; "
        "data = open(sys.argv[1], 'rb').read(); "
        f"np.save(sys.argv[2], context.decode(data, {symbols.shape}, {partners}))"
    )
    arguments = [str(tmp_path / "payload"), str(tmp_path / "decoded.npy")]
    subprocess.run([sys.executable, "-c", script, *arguments], check=True)
    assert np.array_equal(np.load(tmp_path / "decoded.npy"), symbols)


@BOTH
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_a_damaged_payload_gives_symbols_or_an_error(partners, data):
    symbols = structured(rows=20, columns=30)
    payload = bytearray(context.encode(symbols, partners) or b"")
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(payload)))
    try:
        decoded = context.decode(bytes(payload[:cut]), symbols.shape, partners)
    except CorruptFile:
        return
    assert decoded.shape == symbols.shape
    assert decoded.dtype == np.int32
