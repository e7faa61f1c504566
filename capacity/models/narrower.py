"""Smaller networks of a family: the counterpart of a sparse one is dense and as small."""

from capacity.models.families import Architecture, build
from capacity.models.model import Model, ModelError, layer_parameters

_MULTIPLIER = 1 / 64  # of widths that are shares of a family's own


def narrower(wide: Architecture, weights: int) -> tuple[float, Model]:
    """The largest width, and its network, of at most so many weights, biases included.

    Raises:
      ModelError: even the narrowest has more, or each layer has a width of its own.
    """
    if wide.widths:
        raise ModelError(
            f"widths = {list(wide.widths)}: a narrower network needs width, not widths"
        )
    unit = 1.0 if wide.family == "mlp" else _MULTIPLIER

    def network(count: int) -> Model | None:
        try:
            return build(wide._replace(width=count * unit))
        except ModelError:
            return None  # too narrow to be one

    def fits(count: int) -> bool:
        model = network(count)
        return model is None or sum(layer_parameters(model).values()) <= weights

    low, high = 0, round(wide.width / unit)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    model = network(low) if low else None
    if model is None:
        raise ModelError(f"no dense {wide.family} has as few as {weights} weights")
    return low * unit, model
