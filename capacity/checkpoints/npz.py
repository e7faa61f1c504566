"""NumPy's .npz: ours and any other. Python objects in it are never unpickled."""

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import ml_dtypes
import numpy as np
from numpy.lib import format as npy

from capacity.checkpoints.checkpoint import Checkpoint, CheckpointError, checked_dtype, filled

MAGIC = b"PK"
_EXPANSION = 1100  # bytes that deflate makes of one, at most; it is 1032 and a little
_MASK = "mask/"  # packed bits that lie beside the weights in our checkpoints
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


def read(data: bytes, path: Path) -> Checkpoint:
    """The arrays of an archive; text and masks are left out.

    Raises:
      CheckpointError: damaged, no archive of arrays, or with Python objects in it.
    """
    tensors, left_out = {}, {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if name == member.filename:
                    raise _foreign(archive, member, path)
                if member.file_size > _EXPANSION * len(data):
                    raise CheckpointError(f"{path}: {name} claims {member.file_size} bytes")
                with archive.open(member) as stream:
                    array = _array(stream, member.file_size, name, path)
                if array is None:
                    left_out[name] = "text"
                elif name in tensors:
                    raise CheckpointError(f"{path}: two arrays are called {name}")
                else:
                    tensors[name] = array
    except _DAMAGE as error:
        raise CheckpointError(f"{path} is a damaged archive ({error})") from error
    for name in [name for name in tensors if _is_mask(name, tensors)]:
        del tensors[name]
        left_out[name] = "a mask"
    return Checkpoint(tensors, left_out)


def written(tensors: Mapping[str, np.ndarray]) -> bytes:
    """The archive of named arrays, uncompressed; numpy calls bfloat16 V2, and so does `read`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in tensors.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as stream:
                npy.write_array(stream, array, allow_pickle=False)
    return buffer.getvalue()


def _array(stream, size: int, name: str, path: Path) -> np.ndarray | None:
    """One member; None for text. Nothing is allocated before its size is known to be true."""
    try:
        version = npy.read_magic(stream)
        header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, fortran, dtype = header(stream)
    except Exception as error:  # numpy reads a header with Python's own parser and tokeniser
        raise CheckpointError(f"{path}: {name} is no array that numpy wrote") from error
    if dtype.hasobject:
        raise CheckpointError(
            f"{path}: {name} holds pickled Python objects, which are never loaded: save plain "
            "arrays"
        )
    if dtype.kind in "US":
        return None
    if dtype == np.dtype("V2"):  # what numpy makes of bfloat16
        dtype = np.dtype(ml_dtypes.bfloat16)
    checked_dtype(dtype, name, path)
    if stream.tell() + math.prod(shape) * dtype.itemsize != size:
        raise CheckpointError(f"{path}: {name} claims shape {shape}, which its bytes do not fill")
    array = filled(stream.read(), dtype, shape[::-1] if fortran else shape, name, path)
    return array.T if fortran else array


def _foreign(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> CheckpointError:
    """An archive of another program, by name if it is known."""
    names = archive.namelist()
    if any(name.endswith("data.pkl") for name in names):
        return CheckpointError(
            f"{path} is a pickle of PyTorch's, which is never loaded: save its state_dict as "
            ".safetensors"
        )
    if any(name.endswith(".h5") for name in names):
        return CheckpointError(f"{path} is a model of Keras's: save its weights as .safetensors")
    return CheckpointError(f"{path} is no .npz: '{member.filename}' in it is no array")


def _is_mask(name: str, tensors: Mapping[str, np.ndarray]) -> bool:
    masked = tensors.get(name.removeprefix(_MASK))
    return (
        name.startswith(_MASK)
        and masked is not None
        and tensors[name].dtype == np.uint8
        and tensors[name].size == -(-masked.size // 8)
    )
