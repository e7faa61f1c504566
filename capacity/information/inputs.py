"""The inputs of a data set alone: entropies by counting, and sizes after lossless compressors."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped

from capacity.information.compressors import SHORT, compressed_sizes, is_images
from capacity.information.entropy import symbol_entropy
from capacity.information.measure import REAL_VALUED, Measure, Measures, Progress
from capacity.information.pixels import neighbour_entropy, position_entropy


class InputCard(NamedTuple):
    """Bits of the inputs alone, which label noise leaves as they are; None for float inputs.

    Attributes:
      pixel_entropy: plug-in entropy of one input value, all positions pooled, bits.
      position_entropy: the same given the position, bits; None for a single input.
      neighbour_entropy: the same given the left neighbour, bits; None where they are no images.
      input_bits: all inputs after the best compressor; an upper bound.
      compressor: the one that was best.
      sizes: bytes after each compressor.
    """

    pixel_entropy: float | None
    position_entropy: float | None
    neighbour_entropy: float | None
    input_bits: int | None
    compressor: str | None
    sizes: dict[str, int] | None


def input_card(inputs: Shaped[np.ndarray, "n ..."], progress: Progress | None = None) -> InputCard:
    """Measures the inputs of a data set in the order in which they stand.

    Every one of their `compressors` reads all of them. The order of the examples changes input_bits
    a little, so keep it fixed. 47 MB of MNIST take about 80 s of one core, nearly all of it xz and
    JPEG XL.

    Args:
      inputs: [n, ...] uint8 values of the 8-bit grid, or floats that were never on one.
      progress: told what is being done, and the share of it all that is done.
    """
    if inputs.dtype != np.uint8:
        return InputCard(None, None, None, None, None, None)
    sizes = compressed_sizes(inputs, progress)
    winner = min(sizes, key=lambda name: sizes[name])
    return InputCard(
        pixel_entropy=symbol_entropy(inputs),
        position_entropy=position_entropy(inputs) if len(inputs) > 1 else None,
        neighbour_entropy=neighbour_entropy(inputs) if is_images(inputs) else None,
        input_bits=8 * sizes[winner],
        compressor=winner,
        sizes=sizes,
    )


def input_measures(inputs: Shaped[np.ndarray, "n ..."], card: InputCard) -> Measures:
    """The card of the inputs, with the bits per value after each compressor."""
    missing = "" if inputs.dtype == np.uint8 else REAL_VALUED
    alone = missing or ("" if len(inputs) > 1 else "a single input")
    flat = missing or ("" if is_images(inputs) else "inputs that are no grey or RGB images")
    bits = card.input_bits
    found = {
        "pixel_entropy": Measure(card.pixel_entropy, None, missing),
        "position_entropy": Measure(card.position_entropy, None, alone),
        "neighbour_entropy": Measure(card.neighbour_entropy, None, flat),
        "input_bits": Measure(bits, None, card.compressor or missing),
        "input_bits_per_pixel": Measure(
            None if bits is None else bits / inputs.size, None, missing
        ),
    }
    return found | _rates("all", card.sizes or {}, inputs)


def sample_measures(
    inputs: Shaped[np.ndarray, "n ..."], progress: Progress | None = None
) -> Measures:
    """Bits per value of the first SHORT bytes after every compressor there is, slow ones included.

    None for real-valued inputs, and for inputs so few that `input_measures` has done the same.
    """
    if inputs.dtype != np.uint8 or inputs.nbytes <= SHORT:
        return {}
    few = inputs[: max(1, SHORT // inputs[0].nbytes)]
    return _rates(f"first {len(few)}", compressed_sizes(few, progress), few)


def _rates(which: str, sizes: dict[str, int], inputs: np.ndarray) -> Measures:
    return {f"{which}/{name}": Measure(8 * size / inputs.size) for name, size in sizes.items()}
