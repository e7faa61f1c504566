"""One figure of a data set, or None and the sentence that says why there is none."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

REAL_VALUED = "real-valued inputs, which were never on an 8-bit grid"

Progress = Callable[[str, float], object]
"""Told what is being done, and the share of it that is done."""


class Measure(NamedTuple):
    """One figure of a data set.

    Attributes:
      value: in the unit of its line in LINES; None where there is none to be had.
      standard_error: in the same unit; None where it is exact, a bound, or nobody knows it.
      note: what the figure depends on, or why there is none.
    """

    value: float | None
    standard_error: float | None = None
    note: str = ""


Measures = dict[str, Measure]


def attempted(measured: Callable[[], Measure]) -> Measure:
    """What `measured` returns; its ValueError as a note, for an estimator that has no estimate."""
    try:
        return measured()
    except ValueError as error:
        return Measure(None, None, str(error))


def classes(labels: Shaped[np.ndarray, " n"], least: int) -> Int[np.ndarray, " n"]:
    """The labels, if they are classes.

    Raises:
      ValueError: they are real-valued, or fewer than `least`.
    """
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels of type {labels.dtype} are no classes, as in a regression")
    if len(labels) < least:
        raise ValueError(f"examples: {len(labels)}, where at least {least} are needed")
    return labels
