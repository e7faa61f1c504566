"""The settings of pruning as a lottery takes them: how much stays, and when, of an architecture."""

import math

import jax
import jax.numpy as jnp

from capacity.config.pruning import Pruning
from capacity.criteria import UNITS, Kept
from capacity.lottery import DURING, SMALL_DENSE, Lottery, levels
from capacity.models import (
    Architecture,
    Model,
    ModelError,
    interchangeable,
    is_kernel,
    narrower,
    parameter_shapes,
)
from capacity.pruning import Gradual, PruningError, gradual, n_of_m, unit_mask


def check(settings: Pruning, wide: Architecture, model: Model, steps: int) -> None:
    """Raises what a lottery of so many steps a round would stumble over.

    Raises:
      PruningError, ModelError: in one sentence.
    """
    kept = pruning_levels(settings, model)
    _applies(settings, wide, model)
    if settings.timing in DURING:
        gradual_schedule(settings, steps)
    if SMALL_DENSE in settings.controls and settings.rounds:
        try:
            smaller(wide, model, least_kept(settings, model, kept[-1]))
        except ModelError as error:
            raise ModelError(f"{SMALL_DENSE}: {error}") from None


def lottery_of(settings: Pruning) -> Lottery:
    """How to prune and what to restart."""
    return Lottery(
        rounds=settings.rounds,
        rate=settings.rate,
        output_rate=settings.output_rate,
        convolution_rate=settings.convolution_rate,
        allocation=settings.sharing,
        schedule=settings.timing,
        rewind=settings.rewind,
        controls=settings.controls,
    )


def pruning_levels(settings: Pruning, model: Model) -> list[Kept]:
    """What each round keeps: weights by tensor or in all, or units by the kernel of their layer.

    Raises:
      PruningError: the architecture does not allow it.
    """
    shapes = {name: leaf.shape for name, leaf in _kernels(model).items()}
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    if settings.method in UNITS:
        hidden = [units.outputs[0].tensor for units in interchangeable(model)]
        sizes = {name: shapes[name][-1] for name in hidden}
        if not sizes:
            raise PruningError(f"method {settings.method}: no layer has units of its own")
    if (pattern := settings.n_of_m) is not None:
        dense = {name: jax.ShapeDtypeStruct(shape, bool) for name, shape in shapes.items()}
        jax.eval_shape(lambda mask: n_of_m(_scores(mask), mask, *pattern), dense)
    return levels(lottery_of(settings), sizes, shapes, settings.least)


def dense_level(settings: Pruning, model: Model) -> Kept:
    """All weights, counted as a round of `pruning_levels` counts those that it keeps."""
    sizes = {name: math.prod(leaf.shape) for name, leaf in _kernels(model).items()}
    return sum(sizes.values()) if settings.sharing == "global" else sizes


def gradual_schedule(settings: Pruning, steps: int) -> Gradual:
    """When a mask that moves in a training of so many steps does so; `final` is to be set.

    Raises:
      PruningError: the training is too short for it.
    """
    first, last = round(settings.begin * steps), round(settings.end * steps)
    return gradual(0.5, first, min(last, steps - 1), settings.update_every)


def smaller(wide: Architecture, model: Model, kept: int) -> tuple[float, Model]:
    """Width and network of the widest narrower one with no more weights than are kept.

    Args:
      kept: of the weights that can be pruned; all others of `model` count too.
    """
    shapes = parameter_shapes(model)
    others = sum(leaf.size for name, leaf in shapes.items() if not is_kernel(name))
    return narrower(wide, kept + others)


def least_kept(settings: Pruning, model: Model, kept: Kept) -> int:
    """Weights that a round has left in all."""
    if isinstance(kept, int):
        return kept
    if settings.method not in UNITS and settings.pattern is None:
        return sum(kept.values())
    shapes = {name: leaf.shape for name, leaf in _kernels(model).items()}
    if (pattern := settings.n_of_m) is not None:
        return sum(map(math.prod, shapes.values())) * pattern[0] // pattern[1]
    layers = interchangeable(model)
    stay = []
    for units in layers:
        kernel = units.outputs[0].tensor
        stay.append(jnp.arange(shapes[kernel][-1]) < kept[kernel])
    everything = parameter_shapes(model)
    whole = unit_mask(stay, layers, {name: leaf.shape for name, leaf in everything.items()})
    return sum(int(whole[n].sum()) if n in whole else math.prod(shapes[n]) for n in shapes)


def _applies(settings: Pruning, wide: Architecture, model: Model) -> None:
    tensors = parameter_shapes(model)
    if settings.method == "synflow" and any(name.endswith("/scale") for name in tensors):
        raise PruningError("method synflow: normalised layers have no flow to preserve")
    if settings.method == "unit-saturation" and wide.activation in ("gelu", "silu"):
        raise PruningError(
            f"method unit-saturation: a unit of {wide.activation} is neither off nor at a limit"
        )


def _kernels(model: Model) -> dict[str, jax.ShapeDtypeStruct]:
    shapes = parameter_shapes(model)
    return {name: leaf for name, leaf in shapes.items() if is_kernel(name)}


def _scores(mask: dict[str, jax.Array]) -> dict[str, jax.Array]:
    return {name: m.astype(jnp.float32) for name, m in mask.items()}
