"""Networks as `Model(init, apply)` over flat dicts of arrays; the only room that imports flax."""

from capacity.models.families import Architecture, build
from capacity.models.model import (
    Activations,
    Model,
    ModelError,
    Params,
    is_kernel,
    is_output,
    layer_outputs,
    layer_parameters,
)
from capacity.models.symmetry import interchangeable

__all__ = [
    "Activations",
    "Architecture",
    "Model",
    "ModelError",
    "Params",
    "build",
    "interchangeable",
    "is_kernel",
    "is_output",
    "layer_outputs",
    "layer_parameters",
]
