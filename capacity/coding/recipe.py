"""How the tensors of a network are quantised where nothing but their weights is known."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Shaped

from capacity.coding.dtypes import QUANTISED
from capacity.coding.kmeans import kmeans
from capacity.coding.quantise import Quantised, uniform
from capacity.coding.rdo import rdo
from capacity.coding.steps import error_step, tensor_step

RELATIVE_STEP = 0.25  # an error of 7 % of the weights' root mean square
RDO_WEIGHT = 0.1  # of the squared step that one bit is worth, for `rdo`
LEVELS = 32  # of a codebook: five bits, as Deep Compression has them for dense layers


class Recipe(NamedTuple):
    """What to do with every tensor of floats.

    Attributes:
      quantiser: `lossless` leaves them as they are; `rdo` rounds by the rate too, and so errs more
        than its step alone would.
      step: the same for all; takes precedence.
      error: see error_step; takes precedence over `relative_step`.
      relative_step: see tensor_step.
      levels: of a codebook, for `kmeans`.
    """

    quantiser: Literal["lossless", "uniform", "rdo", "kmeans"] = "uniform"
    step: float | None = None
    error: float | None = None
    relative_step: float = RELATIVE_STEP
    levels: int = LEVELS


class Prepared(Mapping[str, Quantised | np.ndarray]):
    """A network's tensors as leaves for `encode`, each quantised when it is asked for.

    So that the symbols of one tensor are in memory and not those of all. What is no float, such as
    a counter, is kept bit for bit. Asking for a tensor raises UnquantisableTensor where its weights
    are NaN or infinite or do not fit its step or codebook.
    """

    def __init__(self, tensors: Mapping[str, np.ndarray], recipe: Recipe) -> None:
        self._tensors, self._recipe = tensors, recipe

    def __getitem__(self, name: str) -> Quantised | np.ndarray:
        weights = self._tensors[name]
        if not quantisable(weights) or self._recipe.quantiser == "lossless":
            return weights
        return quantised(weights, self._recipe, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)


def quantisable(weights: Shaped[np.ndarray, "..."]) -> bool:
    """Whether a tensor is of floats wide enough to be worth it."""
    return weights.dtype.name in (*QUANTISED, "float64")


def quantised(weights: Shaped[np.ndarray, "..."], recipe: Recipe, name: str) -> Quantised:
    """The tensor as integers; raises what its quantiser raises."""
    if recipe.quantiser == "kmeans":
        return kmeans(weights, recipe.levels, name)
    if recipe.step is not None:
        step = recipe.step
    elif recipe.error is not None:
        step = error_step(weights, recipe.error, name)
    else:
        step = tensor_step(weights, recipe.relative_step, name)
    if recipe.quantiser == "rdo":
        return rdo(weights, step, RDO_WEIGHT * step**2, name=name)
    return uniform(weights, step, name)
