"""The labels of a data set: their entropy by counting, and the floor that injected noise sets."""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Shaped

from capacity.information.entropy import (
    chao_shen_entropy,
    entropy_standard_error,
    grassberger_entropy,
    miller_madow_entropy,
    plugin_entropy,
)
from capacity.information.measure import Measure, Measures, attempted, classes


def label_measures(
    labels: Shaped[np.ndarray, " n"], class_count: int, conditional: float | None, noise: str
) -> Measures:
    """Entropy of the labels by counting, with its corrections, and the floor that noise sets.

    Args:
      labels: [n] classes from 0 to class_count - 1.
      class_count: K.
      conditional: H(label | input) in bits, or None where nobody knows it.
      noise: what that is the entropy of, or why nobody knows, in words.
    """
    n = len(labels)

    def entropy(of: Callable[[np.ndarray], float]) -> Measure:
        def found() -> Measure:
            counts = np.bincount(classes(labels, 2), minlength=class_count)
            # Of the two others no error is known: where they differ, they spread more.
            known = of in (plugin_entropy, miller_madow_entropy)
            return Measure(of(counts), entropy_standard_error(counts) if known else None)

        return attempted(found)

    plugin = entropy(plugin_entropy)
    return {
        "examples": Measure(n),
        "classes": Measure(class_count),
        "uniform_label_bits": Measure(n * math.log2(class_count)),
        "label_entropy": plugin,
        "label_entropy_miller_madow": entropy(miller_madow_entropy),
        "label_entropy_chao_shen": entropy(chao_shen_entropy),
        "label_entropy_grassberger": entropy(grassberger_entropy),
        "label_bits": Measure(
            _times(n, plugin.value), _times(n, plugin.standard_error), plugin.note
        ),
        "conditional_entropy": Measure(conditional, None, noise),
        "noise_floor": Measure(_times(n, conditional), None, noise),
    }


def _times(n: int, bits: float | None) -> float | None:
    return None if bits is None else n * bits
