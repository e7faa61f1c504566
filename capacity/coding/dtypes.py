"""The types of weights that a file can hold; the number of each is part of the file format."""

import ml_dtypes  # noqa: F401 - numpy knows bfloat16 and float8 by name once this is imported
import numpy as np

from capacity.coding.errors import UnstorableTensor

DTYPES = (
    "float32",
    "float16",
    "bfloat16",
    "float64",
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float8_e4m3fn",
    "float8_e5m2",
)
QUANTISED = ("float32", "float16", "bfloat16")  # what symbols can be turned into


def dtype_number(dtype: np.dtype, name: str) -> int:
    """The number of a type, whatever its byte order."""
    if dtype.name not in DTYPES:
        raise UnstorableTensor(
            f"{name}: weights of type {dtype}: only {', '.join(DTYPES)} can be stored"
        )
    return DTYPES.index(dtype.name)
