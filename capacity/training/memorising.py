"""Networks that memorise: every size of training set and every seed by one compiled program.

Whole sets at a time instead of batches of examples (`population.train`): batches of a few examples
leave a floor under the loss, which would read as a smaller capacity; and a step on the whole set
tells its exact loss for nothing, so that the least of all steps can be kept.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int

from capacity.models import Model, Params
from capacity.training.chunks import mapped
from capacity.training.examples import Examples, example_losses, pick
from capacity.training.optimizer import Rates, Rule, transformation

_LN2 = 0.6931471805599453


class Memory(NamedTuple):
    """A network that memorises, after some steps.

    Attributes:
      loss: least mean -log2 p(label), in bits, that its whole training set had before any step.
      accuracy: share right where the loss was least.
      diverged: whether a loss was NaN or infinite before any step.
    """

    params: Params
    moments: optax.OptState
    loss: Float[Array, "..."]
    accuracy: Float[Array, "..."]
    diverged: Bool[Array, "..."]


def memorise(
    model: Model,
    rule: Rule,
    rates: Rates,
    sets: Examples,
    seeds: Int[Array, " members"],
    sizes: Int[Array, " members"],
    params: Params,
    steps: int,
    *,
    chunk: int,
    stride: int = 1000,
    progress: Callable[[int, Memory], None] | None = None,
) -> Memory:
    """Member i trained on the first `sizes[i]` examples of set `seeds[i]`, all of them each step.

    Neither sizes nor steps are shapes: all sizes of a sweep and twice the steps are one program.
    A loss that is not finite never counts as the least.

    Args:
      rule: how to update; `rule.batch_size` has no say.
      rates: its numbers; `rates.steps` is where the schedule ends.
      sets: inputs [sets, n, ...] and labels [sets, n], with the offset and scale of all.
      seeds: the set of each member.
      sizes: from 1 to n.
      params: initial weights [members, ...].
      chunk: members that run side by side.
      stride: steps between two calls of `progress`.
    """
    state = _start(rule, rates, params)
    for done in range(0, steps, stride):
        until = min(done + stride, steps)
        state = _advance(
            model, rule, rates, sets, seeds, sizes, state, jnp.int32(until - done), chunk=chunk
        )
        if progress is not None:
            progress(until, jax.block_until_ready(state))
    return state


def compilations() -> int:
    """Memorising programs compiled (or loaded from the cache) by this process."""
    program: Any = _advance
    return program._cache_size()


@functools.partial(jax.jit, static_argnames="rule")
def _start(rule: Rule, rates: Rates, params: Params) -> Memory:
    members = jax.tree.leaves(params)[0].shape[0]
    moments = jax.vmap(transformation(rule, rates).init)(params)
    params = jax.tree.map(jnp.copy, params)  # the state is donated, the caller's weights are not
    least = jnp.full((members,), jnp.inf, jnp.float32)
    accuracy = jnp.zeros((members,), jnp.float32)
    return Memory(params, moments, least, accuracy, jnp.zeros((members,), bool))


@functools.partial(jax.jit, static_argnames=("model", "rule", "chunk"), donate_argnames="state")
def _advance(
    model: Model,
    rule: Rule,
    rates: Rates,
    sets: Examples,
    seeds: Array,
    sizes: Array,
    state: Memory,
    steps: Int[Array, ""],
    *,
    chunk: int,
) -> Memory:
    update = transformation(rule, rates).update
    most = sets.labels.shape[1]

    def one(seed: Array, size: Array, state: Memory) -> Memory:
        own = sets._replace(inputs=sets.inputs[seed], labels=sets.labels[seed])
        inputs, labels = pick(own, jnp.arange(most))
        share = jnp.where(jnp.arange(most) < size, 1 / size.astype(jnp.float32), 0)

        def mean_loss(params: Params) -> tuple[Array, Array]:
            loss, right = example_losses(model, params, inputs, labels)
            return jnp.sum(loss * share), jnp.sum(jnp.where(right, share, 0))

        def step(_: Array, state: Memory) -> Memory:
            (loss, accuracy), grads = jax.value_and_grad(mean_loss, has_aux=True)(state.params)
            updates, moments = update(grads, state.moments, state.params)
            least = loss / _LN2 < state.loss
            return Memory(
                jax.tree.map(jnp.add, state.params, updates),
                moments,
                jnp.where(least, loss / _LN2, state.loss),
                jnp.where(least, accuracy, state.accuracy),
                state.diverged | ~jnp.isfinite(loss),
            )

        return jax.lax.fori_loop(0, steps, step, state)

    return mapped(one, chunk, seeds, sizes, state)
