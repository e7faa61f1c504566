"""Hidden units that may change places: a network computes the same function in any order."""

from itertools import pairwise

from capacity.coding.order import Axis, Units
from capacity.models.model import Model, is_kernel, layer_parameters, parameter_shapes


def interchangeable(model: Model) -> list[Units]:
    """The hidden layers whose units are interchangeable, from input to output.

    Those of a chain: dense units, and channels without GroupNorm, whose groups tie them (and with
    them all of a ResNet, where shortcuts tie them too).
    """
    shapes = {name: leaf.shape for name, leaf in parameter_shapes(model).items()}
    layers = list(layer_parameters(model))
    found = []
    for layer, following in pairwise(layers):
        own = [name for name in shapes if name.startswith(f"{layer}/")]
        kernel, used = f"{layer}/kernel", f"{following}/kernel"
        grouped = len(shapes.get(kernel, ())) == 4 and any("/norm/" in name for name in own)
        if grouped or kernel not in shapes or used not in shapes:
            continue
        outputs = [Axis(name, len(shapes[name]) - 1) for name in sorted(own, key=is_kernel)[::-1]]
        found.append(Units(tuple(outputs), (Axis(used, len(shapes[used]) - 2),)))
    return found
