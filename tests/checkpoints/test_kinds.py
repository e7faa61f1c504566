"""Checkpoints of every kind: what goes in comes out, and what is wrong is one sentence."""

import importlib
import io
import json
import pickle
import struct
import zipfile

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save_file

from capacity import coding
from capacity.checkpoints import CheckpointError, read, writer

TREE = {
    "layers/0/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "conv1.weight": np.asfortranarray(np.arange(6, dtype=np.float64).reshape(3, 2)),
    "half": np.array([1.5, -0.0], np.float16),
    "brain": np.array([1.5, -0.0], ml_dtypes.bfloat16),
    "steps": np.array(3, np.int64),
    "mask": np.array([True, False]),
    "void": np.zeros((0, 4), np.uint8),
}


def same(tensors, expected):
    assert list(tensors) == list(expected)
    for name, weights in expected.items():
        assert tensors[name].dtype == weights.dtype, name
        assert tensors[name].shape == weights.shape, name
        assert tensors[name].tobytes() == weights.tobytes(), name


def npz(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return buffer.getvalue()


def npy(array, **options):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


def claiming(shape):
    buffer = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_what_is_written_is_read(suffix, tmp_path):
    path = tmp_path / f"checkpoint{suffix}"
    path.write_bytes(writer(path)(TREE))
    same(read(path).tensors, TREE)


def test_a_file_is_known_by_its_bytes_and_not_by_its_name(tmp_path):
    path = tmp_path / "checkpoint.txt"
    path.write_bytes(writer(tmp_path / "a.safetensors")(TREE))
    same(read(path).tensors, TREE)
    path.write_bytes(coding.encode(TREE))
    same(read(path).tensors, TREE)


def test_what_numpy_wrote_is_read_and_text_is_left_out(tmp_path):
    path = tmp_path / "weights.npz"
    for save in (np.savez, np.savez_compressed):
        save(path, about=np.array("a text"), **TREE)
        checkpoint = read(path)
        same(checkpoint.tensors, TREE)
        assert checkpoint.left_out == {"about": "text"}


def test_our_masks_are_left_out_and_nothing_else_of_that_name(tmp_path):
    path = tmp_path / "s0-r3.npz"
    weights = {"kernel": np.ones((3, 3)), "mask/x": np.ones(2), "mask/bias": np.ones(1, np.uint8)}
    np.savez(path, **weights, **{"mask/kernel": np.packbits(np.ones(9, bool))})
    checkpoint = read(path)
    same(checkpoint.tensors, weights)
    assert checkpoint.left_out == {"mask/kernel": "a mask"}


def test_the_library_of_safetensors_agrees(tmp_path):
    plain = {name: np.ascontiguousarray(w) for name, w in TREE.items()}
    path = tmp_path / "x.safetensors"
    save_file(plain, path, metadata={"format": "np"})
    assert {n: w.tobytes() for n, w in read(path).tensors.items()} == {
        n: w.tobytes() for n, w in plain.items()
    }
    path.write_bytes(writer(path)(TREE))
    del plain["brain"]  # its numpy side has no bfloat16 of its own
    with safe_open(path, "np") as file:
        assert set(file.keys()) == set(TREE)
        assert all(file.get_tensor(n).tobytes() == w.tobytes() for n, w in plain.items())


def test_folders_of_orbax_are_read(tmp_path):
    ocp = importlib.import_module("orbax.checkpoint")  # slow to import; it comes with flax
    tree = {"layers": [{"kernel": np.ones((2, 3), np.float32)}, TREE["brain"]], "step": np.int32(4)}
    expected = {
        "layers/0/kernel": np.ones((2, 3), np.float32),
        "layers/1": TREE["brain"],
        "step": np.array(4, np.int32),
    }
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "tree", tree)
    same(read(tmp_path / "tree").tensors, expected)
    with ocp.CheckpointManager(tmp_path / "run") as manager:
        manager.save(2, args=ocp.args.StandardSave({"step": np.int32(2)}))
        manager.save(10, args=ocp.args.StandardSave(tree))
    same(read(tmp_path / "run").tensors, expected)
    for name in ("a", "b"):
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(tmp_path / "two" / name, tree)
    with pytest.raises(CheckpointError, match=r"holds several trees \(a, b\): name one"):
        read(tmp_path / "two")
    (tmp_path / "tree" / "_METADATA").write_text("{")
    with pytest.raises(CheckpointError, match="tree is a damaged checkpoint of Orbax"):
        read(tmp_path / "tree")


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


PICKLE = pickle.dumps(Bomb())
F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
BAD = {
    "a pickle": (PICKLE, "is a pickle, which is never loaded"),
    "a pickle in an archive": (npz(w__npy=npy(np.array([Bomb()]))), "w holds pickled Python obj"),
    "a pickle posing as an array": (npz(w__npy=PICKLE), "w is no array that numpy wrote"),
    "of PyTorch": (npz(archive__data__pkl=PICKLE), "is no .npz|pickle of PyTorch's"),
    "of Keras": (npz(model__h5=b"x"), "is a model of Keras's"),
    "HDF5": (b"\x89HDF\r\n", "is an HDF5 file"),
    "one array": (npy(np.ones(2)), "is one array"),
    "another archive": (npz(readme__txt=b"x"), "'readme.txt' in it is no array"),
    "complex": (npz(w__npy=npy(np.ones(2, complex))), "w is of type complex128: only float32"),
    "a record": (npz(w__npy=npy(np.zeros(2, "i4,f4"))), "w is of type"),
    "no header": (npz(w__npy=npy(np.ones(2)).replace(b"(2,), }", b"(2,((((")), "w is no array"),
    "a large lie": (npz(w__npy=claiming((10**12,)) + bytes(16)), "w claims shape"),
    "a negative lie": (npz(w__npy=claiming((-2,)) + bytes(16)), "w claims shape|w is no array"),
    "half an archive": (npz(w__npy=npy(np.ones(200)))[:150], "is a damaged archive"),
    "text": (b"weights", "is no checkpoint: neither"),
    "nothing": (b"", "is no checkpoint: neither"),
    "a short header": (safetensors(b'{"w": ')[:12], "ends within its header"),
    "no JSON": (safetensors(b'{"w": '), "its header is none of .safetensors"),
    "a list": (safetensors(b"{}").replace(b"{}", b"{]"), "its header is none of .safetensors"),
    "out of bounds": (safetensors({"w": F32}, bytes(4)), "w does not lie within it"),
    "too few": (safetensors({"w": F32 | {"shape": [10**12]}}, bytes(8)), "w has 8 bytes where"),
    "negative": (safetensors({"w": F32 | {"shape": [-2]}}, bytes(8)), "w does not lie within it"),
    "unknown type": (safetensors({"w": F32 | {"dtype": "F4"}}, bytes(8)), "w is of type F4"),
    "damaged": (coding.encode(TREE)[:-1], "bytes where its header says"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_told_in_one_sentence(case, tmp_path):
    data, message = BAD[case]
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises((CheckpointError, coding.CorruptFile), match=message) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be read"):
        read(tmp_path / "none.npz")
    with pytest.raises(CheckpointError, match="is a folder, but no checkpoint of Orbax"):
        read(tmp_path)
    with pytest.raises(CheckpointError, match=r"tensors are written as .npz or .safetensors"):
        writer(tmp_path / "x.pt")


@settings(deadline=None, max_examples=500)
@given(suffix=st.sampled_from([".npz", ".safetensors"]), data=st.data())
def test_damage_is_a_sentence_or_goes_unseen(suffix, data, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    whole = bytearray(writer(path)(TREE))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(whole[: data.draw(st.integers(0, len(whole))) or None]))
    sentence = str(path)
    try:
        read(path)
    except (CheckpointError, coding.CorruptFile) as error:
        sentence = str(error)
    assert sentence.startswith(str(path))
