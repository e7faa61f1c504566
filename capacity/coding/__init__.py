"""Networks as short files: quantisation, tables, range coding and the container around them."""

from capacity.coding.errors import CorruptFile, UnquantisableTensor, UnstorableTensor
from capacity.coding.file import coded_bytes, decode, encode, entries
from capacity.coding.kmeans import kmeans
from capacity.coding.quantise import Quantised, dequantised, uniform
from capacity.coding.rdo import rdo
from capacity.coding.steps import error_step, short_step, tensor_step

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
    "error_step",
    "kmeans",
    "rdo",
    "short_step",
    "tensor_step",
    "uniform",
]
