"""How many bits a labelled data set holds: its labels by counting, its inputs by compression."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from capacity.information.entropy import plugin_entropy
from capacity.information.inputs import InputCard, input_card


class DatasetCard(NamedTuple):
    """Bits of a labelled data set; what depends on the 8-bit grid is None for float inputs.

    Attributes:
      examples: N.
      label_entropy: plug-in H(Y), bits per example.
      label_bits: N H(Y); no code that is blind to the inputs and the order is shorter.
      uniform_label_bits: N log2 K, the labels under a uniform code.
      pixel_entropy: plug-in entropy of one input value, all positions pooled, bits.
      input_bits: the whole stream of inputs after the best compressor; an upper bound.
      input_bits_per_pixel: input_bits over the number of input values.
      compressor: the one that was best.
    """

    examples: int
    label_entropy: float
    label_bits: float
    uniform_label_bits: float
    pixel_entropy: float | None
    input_bits: int | None
    input_bits_per_pixel: float | None
    compressor: str | None


def dataset_card(
    inputs: Shaped[np.ndarray, "..."],
    labels: Int[np.ndarray, " n"],
    class_count: int,
    measured: InputCard | None = None,
) -> DatasetCard:
    """Measures a data set in the order in which it stands.

    Args:
      inputs: [n, ...] uint8 values of the 8-bit grid, or floats that were never on one.
      labels: [n] classes from 0 to class_count - 1.
      class_count: K, passed since a class may be missing from the labels.
      measured: what `input_card` has found for these inputs before; it is the slow part.

    Raises:
      ValueError: no examples, unequal numbers of inputs and labels, a label outside the classes, or
        inputs that are neither uint8 nor float.
    """
    _check(inputs, labels, class_count)
    examples = len(labels)
    entropy = plugin_entropy(np.bincount(labels, minlength=class_count))
    found = input_card(inputs) if measured is None else measured
    bits = found.input_bits
    return DatasetCard(
        examples=examples,
        label_entropy=entropy,
        label_bits=examples * entropy,
        uniform_label_bits=examples * math.log2(class_count),
        pixel_entropy=found.pixel_entropy,
        input_bits=bits,
        input_bits_per_pixel=None if bits is None else bits / inputs.size,
        compressor=found.compressor,
    )


def _check(inputs: np.ndarray, labels: np.ndarray, class_count: int) -> None:
    if len(inputs) != len(labels):
        raise ValueError(f"{len(inputs)} inputs but {len(labels)} labels: each needs the other")
    if not inputs.size:
        raise ValueError("no inputs: an empty data set has no entropy")
    if labels.min() < 0 or labels.max() >= class_count:
        raise ValueError(
            f"labels run from {labels.min()} to {labels.max()}: "
            f"{class_count} classes are 0 to {class_count - 1}"
        )
    if inputs.dtype != np.uint8 and not np.issubdtype(inputs.dtype, np.floating):
        raise ValueError(
            f"inputs of type {inputs.dtype}: pass uint8 values of the 8-bit grid, or floats"
        )
