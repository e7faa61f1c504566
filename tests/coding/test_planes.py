"""Lossless leaves: bits by hand, round trips, and nothing lost on what zstd and xz see."""

import lzma

import ml_dtypes
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from trees import bit_patterns

from capacity.coding import CorruptFile, planes


@settings(deadline=None)
@given(bit_patterns())
def test_bits_come_back(weights):
    if weights.size:
        decoded = planes.decode(planes.encode(weights), weights.shape, weights.dtype.name)
        assert decoded.dtype == weights.dtype
        assert decoded.shape == weights.shape
        assert decoded.tobytes() == weights.tobytes()


def test_bytes_by_hand():
    # 1.0 is 3f800000, rotated 7f000000; -2.0 is c0000000, rotated 80000001
    weights = np.array([1.0, -2.0], np.float32)
    assert planes.encode(weights) == bytes.fromhex("00 007f80 000000 000000 000001")
    # -1 and 1 are 1 and 2 once folded
    assert planes.encode(np.array([-1, 1], np.int8)) == bytes.fromhex("00 000102")


def test_the_other_byte_order_is_the_same_weights():
    weights = np.array([1.5, -0.1, 3e-5], np.float32)
    assert planes.encode(weights.astype(">f4")) == planes.encode(weights)
    transposed = np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3))
    assert planes.decode(planes.encode(transposed), (2, 3), "float64").tolist() == [
        [0, 1, 2],
        [3, 4, 5],
    ]


@pytest.mark.parametrize("value", [0.0, -0.0, 1.5, np.nan])
def test_one_distinct_value_costs_no_more_for_being_repeated(value):
    weights = np.full(10**5, value, np.float32)
    payload = planes.encode(weights)
    assert len(payload) < 24
    assert planes.decode(payload, (10**5,), "float32").tobytes() == weights.tobytes()


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16])
@pytest.mark.parametrize("kept", [1.0, 0.08, 0.001])
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_planes_are_shorter_than_zstd_and_xz(dtype, kept, zero):
    generator = np.random.default_rng(0)
    weights = generator.normal(size=10**5) * 0.05
    weights = np.where(generator.random(10**5) < kept, weights, zero).astype(dtype)
    size = len(planes.encode(weights))
    assert size < len(zstandard.ZstdCompressor(19).compress(weights.tobytes()))
    assert size < len(lzma.compress(weights.tobytes(), preset=9 | lzma.PRESET_EXTREME))


def test_repetition_is_seen_that_a_histogram_is_blind_to():
    weights = np.tile(np.random.default_rng(0).normal(size=1000), 100)
    assert len(planes.encode(weights)) < 8 * 1000 * 1.5


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ("", "ends too early"),
        ("00 0001", "ends too early"),
        ("00 00010203 ff", "bytes follow"),
        ("00 03 00", "unknown code 3 of a plane"),
        ("09 00", "unknown codec 9"),
        ("01 02 09c0", "symbol other than 0, 1 and 2"),
        ("00 01 03 004b30", "a symbol that is no byte"),
        ("00 02 02 1234", "no frame of zstd"),
    ],
)
def test_what_no_encoder_writes_is_corrupt(payload, message):
    with pytest.raises(CorruptFile, match=message):
        planes.decode(bytes.fromhex(payload), (3,), "uint8")


def test_a_frame_of_zstd_that_holds_more_is_not_expanded():
    bomb = zstandard.ZstdCompressor(19).compress(bytes(10**8))
    payload = b"\x00\x02" + planes.varint(len(bomb)) + bomb
    with pytest.raises(CorruptFile, match="not the 3 that are due"):
        planes.decode(payload, (3,), "uint8")


def test_a_truth_value_is_0_or_1():
    with pytest.raises(CorruptFile, match="neither 0 nor 1"):
        planes.decode(b"\x00\x00\x02", (1,), "bool")
