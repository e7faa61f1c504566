"""The container: exact round trips, exact bytes, and nothing but CorruptFile for damage."""

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import (
    bit_patterns,
    entry,
    every_kind,
    fixed_symbols,
    quantised,
    reframed,
    small_network,
    trees,
    written_by,
)

from capacity.coding import (
    CorruptFile,
    Quantised,
    UnstorableTensor,
    coded_bytes,
    decode,
    dequantised,
    encode,
    entries,
    tensor_step,
    uniform,
)
from capacity.coding.codecs import CODECS
from capacity.coding.file import WEIGHT_LIMIT
from capacity.coding.header import encoded_entries

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = {1: small_network, 2: every_kind}


def golden(version):
    return (GOLDEN / f"version{version}.capacity").read_bytes()


def restored(leaf):
    """What decoding must give."""
    return dequantised(leaf) if isinstance(leaf, Quantised) else leaf


def same(first, second):
    return (first.dtype, first.shape, first.tobytes()) == (
        second.dtype,
        second.shape,
        second.tobytes(),
    )


@settings(deadline=None)
@given(trees(quantised() | bit_patterns()), st.sampled_from(["fast", "max"]))
def test_every_leaf_comes_back_bit_for_bit(leaves, effort):
    decoded = decode(encode(leaves, effort=effort))
    assert list(decoded) == list(leaves)
    for name, leaf in leaves.items():
        assert same(decoded[name], restored(leaf))


@settings(deadline=None)
@given(trees(quantised() | bit_patterns()), st.randoms())
def test_a_tensor_is_read_without_the_others(leaves, random):
    data = bytearray(encode(leaves))
    wanted = {name for name in leaves if random.random() < 0.5}
    offset = len(data) - sum(line.length for line in entries(bytes(data)))
    for line in entries(bytes(data)):
        if line.name not in wanted:
            data[offset : offset + line.length] = bytes(line.length)
        offset += line.length
    decoded = decode(data, names=wanted)
    assert decoded.keys() == wanted
    assert all(same(decoded[name], restored(leaves[name])) for name in wanted)


@pytest.mark.parametrize("version", VERSIONS)
def test_files_of_every_version_decode_for_ever(version):
    decoded, leaves = decode(golden(version)), VERSIONS[version]()
    assert list(decoded) == list(leaves)
    for name, leaf in leaves.items():
        assert same(decoded[name], restored(leaf)), name


@pytest.mark.parametrize("number", CODECS)
def test_the_code_words_of_a_codec_do_not_change(number):
    data = (GOLDEN / f"codec{number}.capacity").read_bytes()
    assert np.array_equal(decode(data)["w"], fixed_symbols())
    assert written_by(number, fixed_symbols()) == data


def test_the_header_of_this_version_does_not_change():
    data, pieces = golden(2), encoded_entries(entries(golden(2)))
    assert b"".join(pieces) in data
    assert list(map(len, pieces)) == [
        size - line.length
        for size, line in zip(coded_bytes(data).values(), entries(data), strict=True)
    ]


def test_the_smallest_files_by_hand():
    frame = b"CAPW\x02\x00"
    assert encode({}) == frame + struct.pack("<I", zlib.crc32(frame))
    # no shared bytes, a name of one; one axis of 3; codec 1 and a step of two bytes, 1.0; a
    # payload of one byte and 24 bits of its checksum
    checksum = struct.pack("<I", zlib.crc32(b"\xc0"))[:3]
    header = b"\x00\x01w" + b"\x01\x03" + b"\x21\x80\x3f" + b"\x01" + checksum
    frame = b"CAPW\x02\x0c" + header
    expected = frame + struct.pack("<I", zlib.crc32(frame)) + b"\xc0"
    assert encode({"w": uniform(np.zeros(3), 1.0)}) == expected
    assert reframed(*([part] for part in entry())) == expected


def test_a_further_layer_takes_a_dozen_bytes_of_header():
    kernel = uniform(np.zeros((300, 300)), 1.0)
    leaves = {f"layers/{i}/{kind}": kernel for i in range(9, 12) for kind in ("bias", "kernel")}
    sizes = [line - 1 for line in coded_bytes(encode(leaves)).values()]  # payloads of one byte
    # name, axes (both as before), kind, step, length, checksum
    assert sizes[2:] == [1 + 1 + 1 + 2 + 1 + 3] * 4


@pytest.mark.parametrize("version", VERSIONS)
def test_a_fresh_process_decodes(version):
    program = (
        "import sys, json; from capacity.coding import decode; "
        "tensors = decode(open(sys.argv[1], 'rb').read()); "
        "print(json.dumps({n: [str(w.dtype), w.tobytes().hex()] for n, w in tensors.items()}))"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", program, str(GOLDEN / f"version{version}.capacity")],
        capture_output=True, check=True, cwd=root, encoding="utf-8",
        env={"PYTHONUTF8": "1"},
    )  # fmt: skip
    expected = {name: restored(leaf) for name, leaf in VERSIONS[version]().items()}
    assert json.loads(run.stdout) == {
        name: [str(w.dtype), w.tobytes().hex()] for name, w in expected.items()
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_every_truncation_is_corrupt(version):
    data = golden(version)
    for length in range(len(data)):
        with pytest.raises(CorruptFile):
            decode(data[:length])
    with pytest.raises(CorruptFile, match="where its header says"):
        decode(data + b"\x00")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_flipped_bit_is_corrupt(version):
    data = golden(version)
    flips = [(at, 1 << bit) for at in range(len(data)) for bit in range(8)]
    for at, mask in flips:
        damaged = data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
        with pytest.raises(CorruptFile):
            coded_bytes(damaged)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_byte_overwritten_is_corrupt(version):
    data = golden(version)
    for at in range(len(data)):
        for value in {0, 255, data[at] + 1 & 255} - {data[at]}:
            with pytest.raises(CorruptFile):
                coded_bytes(data[:at] + bytes([value]) + data[at + 1 :])


@pytest.mark.parametrize("number", CODECS)
def test_what_a_valid_checksum_hides_is_still_weights_or_corrupt(number):
    symbols = fixed_symbols()
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


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_what_valid_checksums_hide_is_still_tensors_or_corrupt(data):
    """Any line of a header around any bytes, as an adversary would frame them."""
    payload = data.draw(st.binary(max_size=40))
    form = data.draw(st.sampled_from(["lossless", "uniform", "codebook"]))
    line, _ = entry(
        payload,
        quantiser=form,
        codec=0 if form == "lossless" else data.draw(st.integers(1, 15)),
        dtype=data.draw(st.sampled_from(["float32", "bfloat16", "int64", "bool"])),
        shape=tuple(data.draw(st.lists(st.integers(0, 40), max_size=3))),
    )
    decoded, sentence = {}, "w: "
    try:
        decoded = decode(reframed([line], [payload]))
    except CorruptFile as error:
        sentence = str(error)
    assert sentence.startswith("w: ")
    assert all((w.shape, w.dtype.name) == (line.shape, line.dtype) for w in decoded.values())


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=60))
def test_foreign_headers_are_entries_or_corrupt(header):
    frame = b"CAPW\x02" + bytes([len(header)]) + header
    try:
        found = entries(frame + struct.pack("<I", zlib.crc32(frame)))
    except CorruptFile:
        return
    assert sum(line.length for line in found) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": (2**30,)}, "claims 1073741824 weights"),
        ({"shape": (10**6, 10**6)}, "claims 1000000000000 weights"),
        ({"shape": (0, 2**34, 2**34)}, "weights: decode it with a weight_limit"),
        ({"shape": (0,)}, "w: 1 bytes for a tensor without weights"),
        ({"codec": 7}, "w: unknown codec 7"),
        ({"step": 0.0}, "w: step 0"),
        ({"step": float("nan")}, "w: step nan"),
        ({"step": 3e38, "payload": b"\x2e"}, "w: a weight beyond float32"),
        ({"payload": b""}, "w: a table of symbol counts ends too early"),
        ({"payload": b"\xc0\x00"}, "w: 1 bytes follow the table"),
        ({"length": 2}, "bytes where its header says"),
        ({"checksum": 1}, "w: the payload is damaged"),
        ({"dtype": "int8"}, "w: symbols cannot stand for weights of type int8"),
        ({"quantiser": "codebook", "payload": b"\x00\xc0"}, "w: a codebook of 0 levels"),
        ({"quantiser": "codebook", "payload": b"\x01\0\0\0\0\x58"}, "w: a symbol beyond the code"),
        ({"quantiser": "lossless"}, "w: codec 1 does not fit its quantiser"),
        ({"quantiser": "lossless", "codec": 0, "payload": b"\x00\x07\x00"}, "w: unknown code 7"),
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
        (b"CAPW\x07" + bytes(9), "version 7: this decoder reads versions up to 2"),
        (b"CAPW\x01\xff\xff\xff\xff\xff\xff", "out of range"),
        (b"CAPW\x02\xff\xff\xff\xff\x7f", "ends too early"),
    ],
)
def test_foreign_files_are_named_in_one_sentence(data, message):
    with pytest.raises(CorruptFile, match=message) as caught:
        decode(data)
    assert "\n" not in str(caught.value)


def test_no_name_makes_two_lines_or_commands_a_terminal():
    line, payload = entry(name="w\n\x1b[2Jé", checksum=1)
    with pytest.raises(CorruptFile) as caught:
        decode(reframed([line], [payload]))
    assert str(caught.value).startswith(r"w\n\x1b[2Jé: the payload is damaged")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_bytes_of_the_tensors_and_the_frame_are_the_whole_file(version):
    data = golden(version)
    sizes = coded_bytes(data)
    assert list(sizes) == list(VERSIONS[version]())
    header = len(data) - sum(sizes.values()) - 9
    assert header == 1 + (data[5] > 127)  # the varint that holds the header's length


def test_a_lenet_is_its_entropy_and_a_few_bytes_a_tensor():
    generator = np.random.default_rng(0)
    params = {}
    for layer, (rows, columns) in enumerate([(784, 300), (300, 100), (100, 10)]):
        kernel = generator.laplace(size=(rows, columns)).astype(np.float32)
        params[f"layers/{layer}/kernel"] = kernel * (generator.random(kernel.shape) < 0.08)
        params[f"layers/{layer}/bias"] = generator.normal(size=columns).astype(np.float32)
    leaves = {name: uniform(w, tensor_step(w, 0.25, name), name) for name, w in params.items()}
    data = encode(leaves)
    bits = 0.0
    for leaf in leaves.values():
        counts = np.unique(leaf.symbols, return_counts=True)[1]
        bits += float(-np.sum(counts * np.log2(counts / counts.sum())))
    # tables and headers of six tensors: far below the 2 % of the bits that they are here
    assert bits / 8 * 0.9 <= len(data) <= bits / 8 * 1.02
    assert len(data) - sum(line.length for line in entries(data)) <= 6 * 14 + 11
    decoded = decode(data)
    assert all(np.array_equal(decoded[name], dequantised(leaves[name])) for name in params)


def test_progress_tells_every_tensor_and_its_weights():
    told = []
    encode(every_kind(), progress=lambda name, weights: told.append((name, weights)))
    assert told == [(name, restored(leaf).size) for name, leaf in every_kind().items()]


@pytest.mark.parametrize(
    ("leaf", "message"),
    [
        (np.array(["a"]), "w: weights of type <U1: only float32"),
        (np.array([1j]), "w: weights of type complex128"),
        (np.array([None]), "w: weights of type object"),
        (Quantised(np.zeros(2, np.int64), 1.0), "w: symbols of type int64: must be int32"),
        (Quantised(np.zeros(2, np.int32), 0.0), "w: step 0: must be a positive"),
        (Quantised(np.zeros(2, np.int32), 1e-60), "w: step 1e-60: must be .* float32"),
        (Quantised(np.full(2, -(2**31), np.int32), 1.0), "w: symbol -2147483648"),
        (Quantised(np.full(2, 9, np.int32), 1e38), "w: a symbol stands for a weight beyond"),
        (Quantised(np.full(2, 9, np.int32), 1.0, None, "int8"), "w: type int8"),
        (Quantised(np.ones(2, np.int32), 0.0, np.ones(1, np.float32)), "w: symbols from 1 to 1"),
        (Quantised(np.zeros(2, np.int32), 0.0, np.ones(1)), "w: a codebook is at most"),
        (np.zeros(2, "V3"), "w: weights of type"),
    ],
)
def test_what_the_format_has_no_place_for_is_named(leaf, message):
    with pytest.raises(UnstorableTensor, match=message):
        encode({"w": leaf})


def test_a_name_beyond_the_format_is_refused():
    with pytest.raises(UnstorableTensor, match="a name of 2000 bytes: at most 1024"):
        encode({"n" * 2000: np.zeros(1)})


def test_a_tensor_that_is_not_there_is_named():
    with pytest.raises(KeyError, match="v: no tensor of that name"):
        decode(golden(2), names=["v"])


def test_a_weight_limit_counts_the_tensors_that_are_asked_for():
    zeros = np.zeros(2**20, np.int32)
    data = written_by(1, zeros)
    assert len(data) < 30
    assert WEIGHT_LIMIT >= 10**8
    with pytest.raises(CorruptFile, match="claims 1048576 weights"):
        decode(data, weight_limit=2**20 - 1)
    assert decode(data, weight_limit=0, names=[]) == {}
