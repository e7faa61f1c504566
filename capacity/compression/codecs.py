"""The ways to make a file of a trained network; a new one is a function and a line here.

A quantiser decides the integers, which the container writes by the shortest of its own codes. A
baseline is what others do: it writes the weights as they are, to a file of its own.
"""

from collections.abc import Callable

from capacity.coding import Quantised, kmeans, tensor_step, uniform
from capacity.coding.baselines import BASELINES
from capacity.subject import Subject
from capacity.training import Weights

Quantise = Callable[[Subject, Weights, float], dict[str, Quantised]]
"""(subject, weights, step in units of each tensor's surviving rms) to every tensor's integers."""

_SPAN = 6.0  # of a tensor's weights in units of their rms, about


def _uniform(subject: Subject, weights: Weights, relative_step: float) -> dict[str, Quantised]:
    return {n: uniform(w, tensor_step(w, relative_step, n), n) for n, w in weights.items()}


def _kmeans(subject: Subject, weights: Weights, relative_step: float) -> dict[str, Quantised]:
    levels = max(2, round(_SPAN / relative_step) + 1)
    return {name: kmeans(w, levels, name) for name, w in weights.items()}


QUANTISERS: dict[str, Quantise] = {"uniform": _uniform, "kmeans": _kmeans}
WEIGHT_BASELINES = {
    name.removeprefix("weights, "): baseline
    for name, baseline in BASELINES.items()
    if baseline.takes == "weights"
}
CODECS = (*QUANTISERS, *WEIGHT_BASELINES)
