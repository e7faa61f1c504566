"""The container: exact round trips, exact bytes, and nothing but CorruptFile for damage."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capacity.coding import (
    CorruptFile,
    coded_bytes,
    decode,
    dequantised,
    encode,
    tensor_step,
    uniform_symbols,
)
from capacity.coding.codecs import CODECS
from capacity.coding.header import Entry, encoded_entries, varint

GOLDEN = Path(__file__).parent / "golden" / "version1.capacity"

networks = st.dictionaries(
    st.text(min_size=0, max_size=12).filter(lambda name: name.isprintable()),
    st.tuples(
        hnp.arrays(
            st.sampled_from([np.float32, np.float64, np.float16]),
            hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6),
            elements=st.floats(-50, 50, width=16),
        ),
        st.floats(2**-14, 8, width=32),
    ),
    max_size=5,
)


def small_network():
    """Both codecs, a scalar, an empty, a constant and a pruned tensor, and names off ASCII."""
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
    return params, steps


def reframed(entries, payloads):
    """A file with correct checksums around whatever is in it."""
    header = b"".join(encoded_entries(entries))
    frame = b"CAPW\x01" + varint(len(header)) + header
    return frame + struct.pack("<I", zlib.crc32(frame)) + b"".join(payloads)


def entry(payload=b"\xc0", **changes):
    """Three zeros, with a field or the payload changed."""
    line = Entry("w", (3,), 1, 1.0, len(payload), zlib.crc32(payload))
    return line._replace(**changes), payload


@settings(deadline=None)
@given(networks)
def test_decoding_gives_the_quantised_weights_bit_for_bit(network):
    params = {name: weights for name, (weights, _) in network.items()}
    steps = {name: step for name, (_, step) in network.items()}
    data = encode(params, steps)
    decoded = decode(data)
    assert list(decoded) == list(params)
    for name, weights in params.items():
        expected = dequantised(uniform_symbols(weights, steps[name]), steps[name])
        assert decoded[name].dtype == np.float32
        assert decoded[name].shape == weights.shape
        assert decoded[name].tobytes() == expected.tobytes()
    assert encode(decoded, steps) == data


def test_the_bytes_of_version_1_do_not_change():
    params, steps = small_network()
    golden = GOLDEN.read_bytes()
    assert encode(params, steps) == golden
    decoded = decode(golden)
    for name, weights in params.items():
        expected = dequantised(uniform_symbols(weights, steps[name]), steps[name])
        assert np.array_equal(decoded[name], expected)


def test_the_smallest_files_by_hand():
    assert encode({}, {}) == b"CAPW\x01\x00" + struct.pack("<I", zlib.crc32(b"CAPW\x01\x00"))
    # no shared bytes, a name of one, one axis of 3, codec 1, step 1, one byte of payload
    header = b"\x00\x01w\x01\x03\x01\x00\x00\x80\x3f\x01" + struct.pack("<I", zlib.crc32(b"\xc0"))
    frame = b"CAPW\x01\x0f" + header
    expected = frame + struct.pack("<I", zlib.crc32(frame)) + b"\xc0"
    assert encode({"w": np.zeros(3)}, {"w": 1.0}) == expected
    assert reframed(*([part] for part in entry())) == expected


def test_a_fresh_process_decodes():
    program = (
        "import sys; from capacity.coding import decode; "
        "tensors = decode(open(sys.argv[1], 'rb').read()); "
        "print(*(f'{name} {float(w.sum())!r}' for name, w in tensors.items()), sep='\\n')"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", program, str(GOLDEN)],
        capture_output=True, check=True, cwd=root, encoding="utf-8",
        env={"PYTHONUTF8": "1"},
    )  # fmt: skip
    expected = [f"{name} {float(w.sum())!r}" for name, w in decode(GOLDEN.read_bytes()).items()]
    assert run.stdout.splitlines() == expected


def test_every_truncation_is_corrupt():
    data = GOLDEN.read_bytes()
    for length in range(len(data)):
        with pytest.raises(CorruptFile):
            decode(data[:length])
    with pytest.raises(CorruptFile, match="where its header says"):
        decode(data + b"\x00")


def test_every_flipped_bit_is_corrupt():
    data = GOLDEN.read_bytes()
    flips = [(at, 1 << bit) for at in range(len(data)) for bit in range(8)]
    for at, mask in flips:
        damaged = data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
        with pytest.raises(CorruptFile):
            decode(damaged)


def test_every_byte_overwritten_is_corrupt():
    data = GOLDEN.read_bytes()
    for at in range(len(data)):
        for value in {0, 255, data[at] + 1 & 255} - {data[at]}:
            with pytest.raises(CorruptFile):
                decode(data[:at] + bytes([value]) + data[at + 1 :])


@pytest.mark.parametrize("number", CODECS)
def test_what_a_valid_checksum_hides_is_still_weights_or_corrupt(number):
    symbols = uniform_symbols(small_network()[0]["layers/1/kernel"], 0.5)
    payload = CODECS[number].encode(symbols)
    assert payload is not None
    generator = np.random.default_rng(0)
    for at in generator.integers(min(len(payload), 400), size=300):
        changed = payload[:at] + generator.bytes(1) + payload[at + 1 :]
        line, body = entry(shape=symbols.shape, codec=number, payload=changed)
        try:
            shape = decode(reframed([line], [body]))["w"].shape
        except CorruptFile as error:
            shape, sentence = symbols.shape, str(error)
            assert sentence.startswith("w: ")
        assert shape == symbols.shape


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": (2**30,)}, "claims 1073741824 weights"),
        ({"shape": (0, 2**34, 2**34)}, "weights: decode it with a weight_limit"),
        ({"shape": (0,)}, "w: 1 bytes for a tensor without weights"),
        ({"shape": (1,) * 33}, "33 axes"),
        ({"codec": 77}, "w: unknown codec 77"),
        ({"step": 0.0}, "w: step 0"),
        ({"step": float("nan")}, "w: step nan"),
        ({"step": 3e38, "payload": b"\x2e"}, "w: a weight beyond float32"),
        ({"payload": b""}, "w: a table of symbol counts ends too early"),
        ({"payload": b"\xc0\x00"}, "w: 1 bytes follow the table"),
        ({"length": 2}, "bytes where its header says"),
        ({"checksum": 1}, "w: the payload is damaged"),
    ],
)
def test_a_header_is_believed_only_as_far_as_it_was_checked(changes, message):
    line, payload = entry(**changes)
    with pytest.raises(CorruptFile, match=message):
        decode(reframed([line], [payload]))


def test_two_tensors_of_one_name_are_corrupt():
    line, payload = entry()
    with pytest.raises(CorruptFile, match="same name"):
        decode(reframed([line, line], [payload, payload]))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a file of compressed weights"),
        (b"PK\x03\x04" + bytes(100), "not a file of compressed weights"),
        (b"CAPW", "ends too early"),
        (b"CAPW\x07" + bytes(9), "version 7: this decoder reads version 1"),
        (b"CAPW\x01\xff\xff\xff\xff\xff\xff", "out of range"),
        (b"CAPW\x01\xff\xff\xff\xff\x7f", "ends too early"),
    ],
)
def test_foreign_files_are_named_in_one_sentence(data, message):
    with pytest.raises(CorruptFile, match=message) as caught:
        decode(data)
    assert "\n" not in str(caught.value)


def test_the_bytes_of_the_tensors_and_the_frame_are_the_whole_file():
    data = GOLDEN.read_bytes()
    sizes = coded_bytes(data)
    assert list(sizes) == list(small_network()[0])
    header = len(data) - sum(sizes.values()) - 9
    assert header == 1 + (data[5] > 127)  # the varint that holds the header's length


def test_a_lenet_is_its_entropy_and_a_few_bytes_a_tensor():
    generator = np.random.default_rng(0)
    params = {}
    for layer, (rows, columns) in enumerate([(784, 300), (300, 100), (100, 10)]):
        kernel = generator.laplace(size=(rows, columns)).astype(np.float32)
        params[f"layers/{layer}/kernel"] = kernel * (generator.random(kernel.shape) < 0.08)
        params[f"layers/{layer}/bias"] = generator.normal(size=columns).astype(np.float32)
    steps = {name: tensor_step(weights, 0.25, name) for name, weights in params.items()}
    data = encode(params, steps)
    bits = 0.0
    for name, weights in params.items():
        counts = np.unique(uniform_symbols(weights, steps[name]), return_counts=True)[1]
        bits += float(-np.sum(counts * np.log2(counts / counts.sum())))
    # tables and headers of six tensors: far below the 2 % of the bits that they are here
    assert bits / 8 <= len(data) <= bits / 8 * 1.02
    decoded = decode(data)
    assert all(
        np.array_equal(decoded[name], dequantised(uniform_symbols(w, steps[name]), steps[name]))
        for name, w in params.items()
    )


def test_names_that_differ_are_named():
    with pytest.raises(ValueError, match="b: no step of that name"):
        encode({"a": np.zeros(1), "b": np.zeros(1)}, {"a": 1.0})
    with pytest.raises(ValueError, match="c: no tensor of that name"):
        encode({"a": np.zeros(1)}, {"a": 1.0, "c": 1.0})


def test_a_name_beyond_the_format_is_refused():
    with pytest.raises(ValueError, match="a name of 2000 bytes: at most 1024"):
        encode({"n" * 2000: np.zeros(1)}, {"n" * 2000: 1.0})
