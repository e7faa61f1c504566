"""Networks as short files: quantisation, tables, range coding and the container around them."""

from capacity.coding.errors import CorruptFile, UnquantisableTensor
from capacity.coding.file import coded_bytes, decode, encode
from capacity.coding.quantise import dequantised, tensor_step, uniform_symbols

__all__ = [
    "CorruptFile",
    "UnquantisableTensor",
    "coded_bytes",
    "decode",
    "dequantised",
    "encode",
    "tensor_step",
    "uniform_symbols",
]
