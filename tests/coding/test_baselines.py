"""The peers: each decodes what it wrote, and reproduces what is known of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import bit_patterns, quantised

from capacity.coding import huffman, relative_index
from capacity.coding.baselines import BASELINES
from capacity.coding.table import LEVEL_LIMIT

EXACT = [name for name, baseline in BASELINES.items() if baseline.exact]
SMALL = st.lists(st.integers(-3, 3), min_size=1, max_size=400).map(lambda s: np.array(s, np.int32))


@pytest.mark.parametrize("name", EXACT)
@settings(deadline=None, max_examples=30)
@given(st.data())
def test_what_is_exact_comes_back(name, data):
    baseline = BASELINES[name]
    drawn = data.draw(st.lists(bit_patterns() if baseline.takes == "weights" else quantised()))
    tensors = drawn if baseline.takes == "weights" else [leaf.symbols for leaf in drawn]
    coded = baseline.encode(tensors)
    if coded is None:  # a span of symbols beyond a table
        assert max(int(np.ptp(tensor)) for tensor in tensors if tensor.size) >= LEVEL_LIMIT - 1
        return
    decoded = baseline.decode(coded, [np.zeros_like(tensor) for tensor in tensors])
    for back, tensor in zip(decoded, tensors, strict=True):
        assert (back.dtype, back.shape) == (tensor.dtype, tensor.shape)
        assert back.tobytes() == tensor.tobytes()


def test_narrow_types_round_and_cost_their_width():
    weights = [np.array([[1.0, -0.3], [127.0, 3e-3]], np.float32), np.zeros(3, np.float32)]
    sizes = {"float32": 28, "bfloat16": 14, "int8": 7 + 8}
    bounds = {"float32": 0, "bfloat16": 2**-9 * 127, "int8": 0.5}
    for name, size in sizes.items():
        coded = BASELINES[name].encode(weights)
        assert coded is not None
        assert len(coded) == size
        decoded = BASELINES[name].decode(coded, weights)
        assert np.max(np.abs(decoded[0] - weights[0])) <= bounds[name]
        assert not decoded[1].any()
    assert BASELINES["int8"].encode([np.array([np.inf], np.float32)]) is None


def test_huffmans_own_example():
    # a: 4, b: 2, c: 1, d: 1 of 8: words of 1, 2, 3, 3 bits, 0 10 110 111 in canonical order
    symbols = np.array([0, 0, 1, 0, 2, 0, 1, 3], np.int32)
    assert huffman.code_lengths(np.array([4, 2, 1, 1])).tolist() == [1, 2, 3, 3]
    # first 0 is '1', four levels '00100', four lengths of six bits: 30 bits in four bytes; then the
    # words 0 0 10 0 110 0 10 111 in two
    payload = huffman.encode(symbols)
    assert payload == bytes.fromhex("9010830c 265c")
    assert huffman.decode(payload, 8).tolist() == symbols.tolist()


@settings(deadline=None)
@given(SMALL)
def test_huffman_is_within_a_bit_of_the_entropy(symbols):
    payload = huffman.encode(symbols)
    assert payload is not None
    counts = np.unique(symbols, return_counts=True)[1]
    entropy = float(-(counts * np.log2(counts / counts.sum())).sum())
    table = 8 * 8  # at most 7 levels of six bits and two numbers
    assert entropy - 1e-6 <= 8 * len(payload) <= entropy + len(symbols) + table
    assert np.array_equal(huffman.decode(payload, len(symbols)), symbols)


@settings(deadline=None)
@given(SMALL, st.integers(1, 600))
def test_long_gaps_are_bridged(symbols, gap):
    spread = np.zeros(len(symbols) * gap, np.int32)
    spread[gap - 1 :: gap] = symbols
    payload = relative_index.encode(spread)
    assert payload is not None
    assert np.array_equal(relative_index.decode(payload, len(spread)), spread)


def test_a_gap_by_hand():
    # two bits hold gaps to 3: five zeros are a filler after three, then one more before the 7
    payload = relative_index._with_gaps(np.array([0, 0, 0, 0, 0, 7], np.int32), 2)
    assert payload is not None
    _, pairs, length = payload[0], int.from_bytes(payload[1:5], "little"), payload[5]
    assert pairs == 2
    assert huffman.decode(payload[9 : 9 + length], 2).tolist() == [3, 1]
    assert huffman.decode(payload[9 + length :], 2).tolist() == [0, 7]
