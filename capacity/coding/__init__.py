"""Networks as short files: quantisation, tables, range coding and the container around them."""

from capacity.coding.errors import CorruptFile, UnquantisableTensor, UnstorableTensor
from capacity.coding.file import coded_bytes, decode, encode, entries
from capacity.coding.quantise import Quantised, dequantised, tensor_step, uniform

__all__ = [
    "CorruptFile",
    "Quantised",
    "UnquantisableTensor",
    "UnstorableTensor",
    "coded_bytes",
    "decode",
    "dequantised",
    "encode",
    "entries",
    "tensor_step",
    "uniform",
]
