"""Networks as `Model(init, apply)` over flat dicts of arrays; the only room that imports flax."""

from capacity.models.families import ACTIVATIONS, Architecture, build, pads
from capacity.models.flax_outputs import kernel_outputs
from capacity.models.model import (
    Activations,
    Model,
    ModelError,
    Params,
    is_kernel,
    is_linear,
    is_output,
    layer_outputs,
    layer_parameters,
    parameter_shapes,
)
from capacity.models.morphisms import deeper, hidden_widths, inherited, wider
from capacity.models.narrower import narrower
from capacity.models.symmetry import interchangeable
from capacity.models.taps import Affine, Taps, affine_layers, tapped

__all__ = [
    "ACTIVATIONS",
    "Activations",
    "Affine",
    "Architecture",
    "Model",
    "ModelError",
    "Params",
    "Taps",
    "affine_layers",
    "build",
    "deeper",
    "hidden_widths",
    "inherited",
    "interchangeable",
    "is_kernel",
    "is_linear",
    "is_output",
    "kernel_outputs",
    "layer_outputs",
    "layer_parameters",
    "narrower",
    "pads",
    "parameter_shapes",
    "tapped",
    "wider",
]
