"""Scalar quantisation: weights as integers, and integers as weights."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped

from capacity.coding.blocks import blocks
from capacity.coding.codebook import LIMIT
from capacity.coding.dtypes import QUANTISED
from capacity.coding.errors import UnquantisableTensor, UnstorableTensor

SYMBOL_LIMIT = 2**31 - 1  # |symbol|: symmetric, and int32 holds it


class Quantised(NamedTuple):
    """A tensor as integers: codebook[symbol] where there is a codebook, symbol * step elsewhere.

    Attributes:
      symbols: [...] int32, in the tensor's shape.
      step: distance of neighbouring weights, a float32 value > 0; 0 where there is a codebook.
      codebook: [k] float32 values that symbols 0 to k - 1 stand for.
      dtype: of the weights that they stand for: float32, float16 or bfloat16.
    """

    symbols: Int[np.ndarray, "..."]
    step: float
    codebook: Float[np.ndarray, " k"] | None = None
    dtype: str = "float32"


def uniform(weights: Shaped[np.ndarray, "..."], step: float, name: str = "weights") -> Quantised:
    """The integers nearest to weights / step; ties go to the even one.

    The step is rounded to float32 first, since that is how a file stores it; the division is
    done in float64. |weight - symbol * step| <= step / 2, up to float64 rounding.

    Args:
      weights: [...] any real type; what is not a QUANTISED type comes back as float32.
      step: distance of neighbouring values, in the unit of the weights, > 0.
      name: what to call the tensor in an error.

    Raises:
      UnquantisableTensor: NaN or infinite weights, a step that is no positive float32, a symbol
        beyond int32, or a rounded weight beyond the type of the weights.
    """
    width, peak = float32_step(step, name), peak_magnitude(weights, name)
    with np.errstate(over="ignore"):
        largest = float(np.rint(peak / width))
    if largest > SYMBOL_LIMIT:
        raise UnquantisableTensor(
            f"{name}: step {step:g} needs a symbol of magnitude {largest:.0f}: the limit is "
            f"{SYMBOL_LIMIT}, choose a coarser step"
        )
    dtype = weights.dtype.name if weights.dtype.name in QUANTISED else "float32"
    if not held(largest * width, dtype):
        raise UnquantisableTensor(
            f"{name}: step {step:g} rounds a weight to {largest * width:g}, beyond {dtype}: "
            "choose a finer step"
        )
    flat, symbols = weights.ravel(), np.empty(weights.size, np.int32)
    for part in blocks(flat.size):
        symbols[part] = np.rint(flat[part].astype(np.float64) / width)
    return Quantised(symbols.reshape(weights.shape), float(width), None, dtype)


def dequantised(quantised: Quantised) -> Float[np.ndarray, "..."]:
    """The weights that a decoded file holds, in their type.

    symbol * step in float64, rounded to float32; or the codebook's value. A narrower type is
    rounded to from there.
    """
    symbols, step, codebook, dtype = quantised
    weights = np.empty(symbols.size, dtype)
    flat, width = symbols.ravel(), np.float64(np.float32(step))
    for part in blocks(flat.size):
        exact = flat[part] * width if codebook is None else codebook[flat[part]]
        weights[part] = exact.astype(np.float32).astype(dtype)
    return weights.reshape(symbols.shape)


def overflowing(quantised: Quantised) -> bool:
    """Whether a symbol stands for what is infinite in the type of the weights."""
    symbols, step, codebook, dtype = quantised
    if codebook is not None:
        return not all(held(level, dtype) for level in codebook.tolist())
    extremes = (int(symbols.min()), int(symbols.max())) if symbols.size else (0,)
    return not all(held(extreme * np.float64(np.float32(step)), dtype) for extreme in extremes)


def check(quantised: Quantised, name: str) -> None:
    """An UnstorableTensor where a file could not give back what the symbols stand for."""
    symbols, step, levels, dtype = quantised
    if dtype not in QUANTISED:
        raise UnstorableTensor(f"{name}: type {dtype}: symbols stand for {', '.join(QUANTISED)}")
    if symbols.dtype != np.int32:
        raise UnstorableTensor(f"{name}: symbols of type {symbols.dtype}: must be int32")
    first, last = (int(symbols.min()), int(symbols.max())) if symbols.size else (0, 0)
    width = float(np.float32(step))
    if levels is None and not (math.isfinite(width) and width > 0):
        raise UnstorableTensor(f"{name}: step {step:g}: must be a positive, finite float32")
    if levels is None and first < -SYMBOL_LIMIT:
        raise UnstorableTensor(f"{name}: symbol {first}: the least is {-SYMBOL_LIMIT}")
    if levels is not None and not (len(levels) <= LIMIT and levels.dtype == np.float32):
        raise UnstorableTensor(f"{name}: a codebook is at most {LIMIT} float32 values")
    if levels is not None and symbols.size and not 0 <= first <= last < len(levels):
        raise UnstorableTensor(
            f"{name}: symbols from {first} to {last} for a codebook of {len(levels)} levels"
        )
    if overflowing(quantised):
        raise UnstorableTensor(f"{name}: a symbol stands for a weight beyond {dtype}")


def held(weight: float, dtype: str) -> bool:
    """Whether a float64 is finite once rounded as `dequantised` does."""
    with np.errstate(over="ignore"):
        return bool(np.isfinite(np.float64(weight).astype(np.float32).astype(dtype)))


def peak_magnitude(weights: Shaped[np.ndarray, "..."], name: str) -> float:
    """The largest magnitude, 0 of no weights; UnquantisableTensor where one is NaN or infinite."""
    flat, peak, wrong = weights.ravel(), 0.0, 0
    for part in blocks(flat.size):
        exact = np.abs(flat[part].astype(np.float64))
        finite = np.isfinite(exact)
        wrong += exact.size - np.count_nonzero(finite)
        peak = max(peak, float(np.max(exact, initial=0.0, where=finite)))
    if wrong:
        raise UnquantisableTensor(
            f"{name}: {wrong} of {flat.size} weights are NaN or infinite: only finite weights "
            "can be quantised, a lossless leaf keeps the others"
        )
    return peak


def float32_step(step: float, name: str) -> np.float64:
    """A step as a file stores it; an UnquantisableTensor unless that is positive and finite."""
    with np.errstate(over="ignore", under="ignore"):
        width = np.float64(np.float32(step))
    if not (np.isfinite(width) and width > 0):
        raise UnquantisableTensor(f"{name}: step {step:g}: must be a positive, finite float32")
    return width
