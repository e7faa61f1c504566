"""Trained networks to networks of few bits, a whole rate-accuracy curve by one program."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from capacity.models import Model, Params
from capacity.training import quantising
from capacity.training.chunks import mapped
from capacity.training.examples import Examples
from capacity.training.network import Mask
from capacity.training.quantising import FinetunePlan, Quantising, RateCurve, Steps

Progress = Callable[[int, Quantising], None]
"""Called with the evaluations done and the population's state."""


class Finetuned(NamedTuple):
    """A population of networks as `symbols` times `steps`, and how it came about."""

    symbols: dict[str, Int[Array, "members ..."]]
    steps: Steps
    curve: RateCurve

    @property
    def params(self) -> Params:
        """The networks [members, ...] of the integers, bit for bit what a file gives back."""
        return _weights(self.symbols, self.steps)


def finetune(
    model: Model,
    plan: FinetunePlan,
    train: Examples,
    validation: Examples,
    params: Params,
    mask: Mask,
    rate_weights: Float[Array, " members"],
    keys: Key[Array, " members"],
    *,
    batch_size: int = 128,
    shift: int = 0,
    chunk: int = 1,
    progress: Progress | None = None,
) -> Finetuned:
    """The trained networks `params` [members, ...], trained on for accuracy and few bits together.

    Weights are integers times one learnt step per tensor, rounding is passed straight through, and
    the loss has the bits of an adaptive coder times a weight that is ramped in (Oktay et al., 2020;
    Wiedemann et al., 2019; the rate model is `capacity.coding.rate`). Rate weights along the member
    axis draw the rate-accuracy curve. Member i is what its weights, mask, rate weight and key give
    alone, to float tolerance; the last weights are kept, as the schedule ends at zero.

    Args:
      mask: pruned weights stay zero.
      rate_weights: nats of cross-entropy per example that one bit is worth, >= 0.
      keys: one per member, for the order of its examples and their shifts.
      shift: pixels by which images are moved at most, another way at every sight; 0 for vectors.
      chunk: members that run side by side, a divisor of their number.
    """
    state = _start(plan, params, mask, evaluations=plan.evaluations)
    for done in range(plan.evaluations):
        state = _advance(
            model, plan, train, validation, state, mask, rate_weights, keys, jnp.int32(done),
            batch_size=batch_size, shift=shift, chunk=chunk,
        )  # fmt: skip
        jax.block_until_ready(state.curve)
        if progress is not None:
            progress(done + 1, state)
    return Finetuned(_symbols(state.latent), state.steps, state.curve)


@functools.partial(jax.jit, static_argnames="evaluations")
def _start(plan: FinetunePlan, params: Params, mask: Mask, *, evaluations: int) -> Quantising:
    return jax.vmap(lambda p, m: quantising.start(plan, p, m, evaluations))(params, mask)


@functools.partial(
    jax.jit, static_argnames=("model", "batch_size", "shift", "chunk"), donate_argnames="state"
)
def _advance(
    model: Model,
    plan: FinetunePlan,
    train: Examples,
    validation: Examples,
    state: Quantising,
    mask: Mask,
    rate_weights: Array,
    keys: Array,
    done: Array,
    *,
    batch_size: int,
    shift: int,
    chunk: int,
) -> Quantising:
    def one(state: Quantising, mask: Mask, rate_weight: Array, key: Array) -> Quantising:
        return quantising.advance(
            model, plan, train, validation, state, mask, rate_weight, key, done,
            batch_size=batch_size, shift=shift,
        )  # fmt: skip

    return mapped(one, chunk, state, mask, rate_weights, keys)


@jax.jit
def _symbols(latent: Params) -> dict[str, Array]:
    return jax.tree.map(lambda leaf: jnp.round(leaf).astype(jnp.int32), latent)


@jax.jit
def _weights(symbols: dict[str, Array], steps: Steps) -> Params:
    def product(symbols: Array, step: Array) -> Array:
        return symbols.astype(jnp.float32) * step.reshape(-1, *(1,) * (symbols.ndim - 1))

    return {name: product(leaf, steps[name]) for name, leaf in symbols.items()}
