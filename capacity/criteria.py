"""Which weights of a population stay, by a method's name: scores at a batch, then exact counts."""

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from capacity import pruning
from capacity.coding.order import Units
from capacity.models import Model, Params, interchangeable
from capacity.pruning import Mask
from capacity.saturation import RANGES
from capacity.training import Examples, empirical_fisher, example_losses, mapped, pick

UNITS = ("unit-norm", "unit-activity", "unit-saturation", "unit-random")
_GRASP_TEMPERATURE = 200.0  # Wang et al. (2020), so that the softmax is nearly linear

Kept = Mapping[str, int] | int
"""What a round keeps: by tensor, by layer in units, or in all."""


class Criterion(NamedTuple):
    """How weights are chosen; part of the compiled program.

    Attributes:
      method: a name of `pruning.method`.
      least: weights that every layer keeps where all compete.
      pattern: (n, m) of every m inputs in a row n stay, whatever the counts.
      activation: of the hidden layers.
    """

    method: str = "magnitude"
    least: int = 1
    pattern: tuple[int, int] | None = None
    activation: str = "relu"

    @property
    def structured(self) -> bool:
        """Whether a mask is more than counts: whole units, or a pattern."""
        return self.method in UNITS or self.pattern is not None

    @property
    def random(self) -> "Criterion":
        """The same structure of what is drawn."""
        return self._replace(method="unit-random" if self.method in UNITS else "random")


class Batch(NamedTuple):
    """Examples at which scores are taken."""

    examples: Examples
    places: Int[Array, " batch"]


def chosen(
    criterion: Criterion,
    model: Model,
    params: Params,
    mask: Mask,
    kept: Kept,
    keys: Key[Array, " members"],
    batch: Batch,
    *,
    chunk: int,
) -> Mask:
    """The masks [members, ...] within `mask` of what scores most; compiled once for all rounds.

    Args:
      keys: one per member, for scores that are drawn.
    """
    counts = jax.tree.map(jnp.int32, dict(kept) if isinstance(kept, Mapping) else kept)
    return _chosen(criterion, model, params, mask, counts, keys, batch, chunk=chunk)


def shuffled(mask: Mask, keys: Key[Array, " members"]) -> Mask:
    """Random masks [members, ...] with as many weights in each tensor as `mask` has."""
    return _shuffled(mask, keys)


def scores(
    method: str,
    model: Model,
    params: Params,
    mask: Mask,
    key: Key[Array, ""],
    batch: Batch,
) -> dict[str, Array]:
    """What each weight of one network is worth, by a method that tells weights apart."""
    inputs, labels = pick(*batch)

    def loss(params: Params, temperature: float = 1.0) -> Float[Array, ""]:
        softer = model._replace(apply=lambda p, x: _cooled(model, p, x, temperature))
        return jnp.mean(example_losses(softer, params, inputs, labels)[0])

    if method == "magnitude":
        return pruning.magnitude(params, mask)
    if method == "random":
        return pruning.random_scores(key, mask)
    if method == "saliency":
        return pruning.gradient_weight(params, jax.grad(loss)(params), mask)
    if method == "snip":
        return pruning.snip(loss, params, mask)
    if method == "grasp":
        return pruning.grasp(lambda p: loss(p, _GRASP_TEMPERATURE), params, mask)
    if method == "fisher":
        return pruning.obd(params, empirical_fisher(model, params, *batch), mask)
    raise ValueError(f"method '{method}' has no scores of weights")


def unit_scores(
    method: str,
    params: Params,
    layers: Sequence[Units],
    activations: Mapping[str, Array],
    activation: str,
    key: Key[Array, ""],
) -> list[Float[Array, " units"]]:
    """What each unit (channel) of each hidden layer is worth."""
    found = []
    for place, units in enumerate(layers):
        kernel = units.outputs[0].tensor
        outputs = activations[kernel.removesuffix("/kernel")]
        limits = RANGES.get(activation)
        if method == "unit-norm":
            found.append(pruning.unit_norms(params[kernel]))
        elif method == "unit-random":
            found.append(jax.random.uniform(jax.random.fold_in(key, place), outputs.shape[-1:]))
        elif method == "unit-activity":
            found.append(pruning.unit_activity(outputs))
        elif limits is None:
            found.append(pruning.unit_firing(outputs))
        else:
            found.append(pruning.unit_freedom(outputs, limits))
    return found


def _cooled(
    model: Model, params: Params, x: Array, temperature: float
) -> tuple[Array, dict[str, Array]]:
    logits, activations = model.apply(params, x)
    return logits / temperature, activations


@functools.partial(jax.jit, static_argnames=("criterion", "model", "chunk"))
def _chosen(
    criterion: Criterion,
    model: Model,
    params: Params,
    mask: Mask,
    kept: Mapping[str, Array] | Array,
    keys: Array,
    batch: Batch,
    *,
    chunk: int,
) -> Mask:
    method = criterion.method

    def one(params: Params, mask: Mask, key: Array) -> Mask:
        if method in UNITS:
            assert isinstance(kept, Mapping)
            return _units(criterion, model, params, mask, kept, key, batch)
        if method == "synflow":
            ones = jnp.ones((1, *model.input_shape))
            assert not isinstance(kept, Mapping)
            return pruning.synflow(
                lambda p: model.apply(p, ones)[0], params, mask, kept, least=criterion.least
            )
        found = scores(method, model, params, mask, key, batch)
        if criterion.pattern is not None:
            return pruning.n_of_m(found, mask, *criterion.pattern)
        if isinstance(kept, Mapping):
            return pruning.prune(found, mask, kept)
        share = pruning.competition(found, mask, kept, criterion.least)
        return pruning.prune(found, mask, share)

    return mapped(one, chunk, params, mask, keys)


def _units(
    criterion: Criterion,
    model: Model,
    params: Params,
    mask: Mask,
    kept: Mapping[str, Array],
    key: Key[Array, ""],
    batch: Batch,
) -> Mask:
    layers = interchangeable(model)
    _, activations = model.apply(params, pick(*batch)[0])
    worth = unit_scores(criterion.method, params, layers, activations, criterion.activation, key)
    stay = []
    for units, each in zip(layers, worth, strict=True):
        kernel = units.outputs[0].tensor
        alive = jnp.any(mask[kernel], axis=tuple(range(mask[kernel].ndim - 1)))
        stay.append(pruning.keep_largest(each, alive, kept[kernel]))
    shapes = {name: leaf.shape for name, leaf in params.items()}
    whole = pruning.unit_mask(stay, layers, shapes)
    return {name: m & whole[name] if name in whole else m for name, m in mask.items()}


@jax.jit
def _shuffled(mask: Mask, keys: Array) -> Mask:
    def one(mask: Mask, key: Array) -> Mask:
        dense = {name: jnp.ones(m.shape, bool) for name, m in mask.items()}
        kept = {name: jnp.sum(m) for name, m in mask.items()}
        return pruning.prune(pruning.random_scores(key, dense), dense, kept)

    return jax.vmap(one)(mask, keys)
