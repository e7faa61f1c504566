"""The zero-order entropy of quantised weights, and what a decoder must be told besides."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from capacity.coding.bits import gamma, zigzag
from capacity.coding.table import bit_widths, encoded_table, table_of
from capacity.information.entropy import plugin_entropy, symbol_counts

STEP_BITS = 32  # the quantisation step, a float32


class TensorEntropy(NamedTuple):
    """What the symbols of one tensor hold when their order is ignored.

    Attributes:
      weights: how many there are.
      levels: how many distinct symbols occur.
      entropy: plug-in entropy, bits per weight.
      bits: weights * entropy. No code that spends a fixed number of bits per symbol is shorter.
      side_information: bits of the table of symbol counts as coding.table writes it (a multiple of
        eight), and 32 for the step. Symbols too far apart for that table are charged an Elias gamma
        code each for the distance to the level before and for the count. Names and shapes are not
        counted.
    """

    weights: int
    levels: int
    entropy: float
    bits: float
    side_information: float


class WeightEntropy(NamedTuple):
    """Entropy of a network's weights, each tensor under its own histogram.

    Attributes:
      tensors: each tensor on its own, by name.
      weights: of all tensors.
      entropy: bits / weights.
      bits: sum over the tensors.
      side_information: sum over the tensors, in bits.
      pooled: all symbols under one histogram, as if they shared one table and one step. Its bits
        are never fewer; it compares values only where the tensors have the same step.
    """

    tensors: dict[str, TensorEntropy]
    weights: int
    entropy: float
    bits: float
    side_information: float
    pooled: TensorEntropy


def weight_entropy(symbols: Mapping[str, Int[np.ndarray, "..."]]) -> WeightEntropy:
    """Zero-order entropy, in bits, of quantised weights: per tensor, summed and pooled.

    It says little alone, since any Gaussian of the same scale has much the same entropy: compare
    it with that of the initial weights. The plug-in bias, (levels - 1) / (2 ln 2) bits of each
    tensor's `bits`, is small where weights outnumber levels by far.

    Args:
      symbols: integers of each tensor, any shape; a tensor without weights counts as 0 bits.

    Raises:
      ValueError: no weights at all.
    """
    flat = {name: values.ravel() for name, values in symbols.items()}
    weights = sum(values.size for values in flat.values())
    if not weights:
        raise ValueError("no weights: the entropy of an empty network is undefined")
    tensors = {name: _tensor_entropy(values) for name, values in flat.items()}
    # Exact, since sum() of floats rounds otherwise from Python 3.12 on.
    bits = math.fsum(tensor.bits for tensor in tensors.values())
    return WeightEntropy(
        tensors=tensors,
        weights=weights,
        entropy=bits / weights,
        bits=bits,
        side_information=sum(tensor.side_information for tensor in tensors.values()),
        pooled=_tensor_entropy(np.concatenate(list(flat.values()))),
    )


def _tensor_entropy(symbols: Int[np.ndarray, " n"]) -> TensorEntropy:
    if not symbols.size:
        return TensorEntropy(0, 0, 0.0, 0.0, float(STEP_BITS))
    table = table_of(symbols)
    counts = symbol_counts(symbols) if table is None else table.counts[table.counts > 0]
    listed = _listed_bits(symbols) if table is None else 8 * len(encoded_table(table)[0])
    entropy = plugin_entropy(counts)
    return TensorEntropy(
        weights=symbols.size,
        levels=len(counts),
        entropy=entropy,
        bits=symbols.size * entropy,
        side_information=float(listed + STEP_BITS),
    )


def _listed_bits(symbols: Int[np.ndarray, " n"]) -> int:
    """Bits of the occurring levels and their counts, each as an Elias gamma code."""
    levels, counts = np.unique(symbols.astype(np.int64), return_counts=True)
    ends = gamma(zigzag(int(levels[0]))) + gamma(len(levels))
    numbers = np.concatenate([np.diff(levels), counts])
    return len(ends) + int(np.sum(2 * bit_widths(numbers) - 1))
