"""Trees that exercise the whole format, drawn and fixed, and files framed by hand."""

import struct
import zlib

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capacity.coding import Quantised, uniform
from capacity.coding.byte_reader import varint
from capacity.coding.codecs import CODECS
from capacity.coding.dtypes import DTYPES, QUANTISED
from capacity.coding.header import Entry, encoded_entries

names = st.text(max_size=12).filter(str.isprintable)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)
steps = st.floats(2**-14, 8, width=32)


@st.composite
def bit_patterns(draw):
    """Weights of any type and any bits: NaN with payloads, -0.0, subnormal numbers."""
    dtype, shape = np.dtype(draw(st.sampled_from(DTYPES))), draw(shapes)
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    words = generator.integers(0, 256, (*shape, dtype.itemsize), np.uint8)
    words[generator.random(shape) >= draw(st.sampled_from([0.1, 0.9, 2.0]))] = 0
    words = words & 1 if dtype == np.bool_ else words
    return np.frombuffer(words.tobytes(), dtype).reshape(shape)


@st.composite
def quantised(draw):
    """Symbols with a step or a codebook, to be weights of any type that can be quantised."""
    dtype = draw(st.sampled_from(QUANTISED))
    if draw(st.booleans()):
        element = st.floats(-50, 50, width=16)
        weights = draw(hnp.arrays(np.float32, shapes, elements=element)).astype(dtype)
        return uniform(weights, draw(steps))
    element = st.floats(-1000, 1000, width=16)
    levels = draw(hnp.arrays(np.float32, st.integers(1, 20), elements=element))
    symbols = draw(hnp.arrays(np.int32, shapes, elements=st.integers(0, len(levels) - 1)))
    return Quantised(symbols, 0.0, levels, dtype)


def trees(leaves):
    return st.dictionaries(names, leaves, max_size=5)


def small_network():
    """Both codecs of version 1, a scalar, an empty, a constant and a pruned tensor."""
    ramp = np.arange(-60, 60, dtype=np.float64)
    sparse = (ramp**3 % 37) * (ramp % 5 == 0)
    params = {
        "layers/0/kernel": sparse.reshape(6, 20),
        "layers/0/bias": np.zeros(20),
        "layers/1/kernel": np.sign(ramp) * ramp**2 * 0.02,
        "layers/1/bias": np.array([0.5, -1.25, 3.0]),
        "échelle": np.array(-7.0),
        "leer": np.zeros((0, 4)),
    }
    steps = dict.fromkeys(params, 0.25) | {"layers/1/kernel": 2.0**-10, "layers/0/kernel": 1.0}
    return {name: uniform(weights, steps[name]) for name, weights in params.items()}


def every_kind():
    """The small network, and every other kind of leaf that version 2 knows."""
    ramp = np.arange(-60, 60, dtype=np.float32)
    levels = np.array([-1.5, -0.25, 0.0, 0.3], np.float32)
    leaves: dict[str, Quantised | np.ndarray] = dict(small_network())
    leaves["codes/0"] = Quantised(np.arange(12, dtype=np.int32).reshape(3, 4) % 4, 0.0, levels)
    leaves["codes/1"] = Quantised(np.array([3, 3], np.int32), 0.0, levels, "bfloat16")
    leaves["halves"] = uniform(ramp.astype(np.float16), 0.3)
    for dtype in DTYPES:
        leaves[f"exact/{dtype}"] = (np.abs(ramp) < 2 if dtype == "bool" else ramp % 50).astype(
            dtype
        )
    leaves["exact/pruned"] = np.where(ramp % 9 == 0, ramp / 7, -0.0).astype(np.float32)
    leaves["exact/nan"] = np.array([np.nan, np.inf, -np.inf], np.float32)
    leaves["exact/step"] = np.array(7, np.int64)
    leaves["exact/void"] = np.zeros((3, 0, 2), np.float64)
    return leaves


def reframed(entries, payloads):
    """A file of version 2 with correct checksums around whatever is in it."""
    header = b"".join(encoded_entries(entries))
    frame = b"CAPW\x02" + varint(len(header)) + header
    return frame + struct.pack("<I", zlib.crc32(frame)) + b"".join(payloads)


def entry(payload=b"\xc0", **changes):
    """Three zeros under the name w, with a field or the payload changed."""
    checksum = zlib.crc32(payload) & 0xFFFFFF
    line = Entry("w", (3,), "float32", "uniform", 1, 1.0, len(payload), checksum)
    return line._replace(**changes), payload


def fixed_symbols():
    """Two thirds zeros, small magnitudes and a few large ones, for the golden file of a codec."""
    place = np.arange(240, dtype=np.int32)
    symbols = (place * place * 7 % 31 - 15) // 2 * (place % 3 == 0) + 3000 * (place % 80 == 7)
    return symbols.reshape(12, 20).astype(np.int32)


def written_by(number, symbols):
    """A file of one tensor of symbols, by the codec of that number."""
    payload = CODECS[number].encode(symbols)
    assert payload is not None, f"codec {number} does not apply"
    line, body = entry(payload, shape=symbols.shape, codec=number)
    return reframed([line], [body])
