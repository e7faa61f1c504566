"""What networks say of labels that they have not seen yet: the training behind a block code.

A network is trained on the first t examples of one fixed order and asked about the next ones; then
those are training examples too. By default it is the same network that goes on learning: a whole
code then costs less than one training run, and blocks can be short. How many examples there are is
an argument, so that all blocks and all seeds are one program.
"""

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int, Key

from capacity.models import Model, Params
from capacity.training import growing
from capacity.training.chunks import mapped
from capacity.training.examples import Examples, pick
from capacity.training.growing import Learner, Recipe, Stage
from capacity.training.optimizer import Rates

_ASKED = 500
_EVALUATIONS = 10

BlockProgress = Callable[[int, int], None]
"""Called with the examples coded and the steps done."""


class Budget(NamedTuple):
    """How long to train at which size; see `stage_steps`.

    Attributes:
      epochs: passes over all N examples that one full training run makes.
      power: a network that has t examples gets (t / N)^power of the steps of a full run. On MNIST
        with a perceptron and 20 epochs, 1 gives a code of 6.46 kbit, 0.7 5.95 and 0.5 6.04: below
        1 small sets get more than their share, too low and the newest examples are hardly seen.
      warm: whether a stage goes on from the network of the one before; else from new weights.
      held_back: share of the seen examples that is kept from training, for early stopping.
    """

    epochs: float
    power: float = 0.7
    warm: bool = True
    held_back: float = 0.0


class Asked(NamedTuple):
    """A population's answers.

    Attributes:
      logits: of every label behind the first block, by a network that had not seen it.
      params: networks trained on all examples, by the same recipe.
      steps: of each stage, the last of which is for `params` alone and codes nothing.
    """

    logits: Float32[np.ndarray, "members labels classes"]
    params: Params
    steps: tuple[int, ...]


def ask(
    model: Model,
    recipe: Recipe,
    rates: Rates,
    budget: Budget,
    cuts: Sequence[int],
    examples: Examples,
    params: Params,
    keys: Key[Array, " members"],
    *,
    chunk: int,
    progress: BlockProgress | None = None,
) -> Asked:
    """Logits of every label from cuts[0] on, by networks trained on the examples up to its block.

    All members read the examples in the order in which they stand, which is part of what they are
    told; they differ in their initial weights `params` [members, ...] and their keys. A block's
    examples are read only after its logits are known.

    Args:
      cuts: strictly increasing; the last is the number of examples.
      keys: one per member, for the order and the shifts of its batches.
      chunk: members that run side by side; see `chunk_size`.
    """
    steps = stage_steps(cuts, budget, recipe.rule.batch_size)
    start = _learners(recipe, rates, params)
    state, answers = start, []
    for i, (cut, stage_length) in enumerate(zip(cuts, steps, strict=True)):
        if not budget.warm:
            state = jax.tree.map(jnp.copy, start)
        stage = _stage(cut, stage_length, budget.held_back)
        state = _grow(model, recipe, rates, examples, stage, state, keys, chunk=chunk)
        if i + 1 < len(cuts):
            answers.append(logits(model, state.best, examples, cut, cuts[i + 1], chunk=chunk))
        else:
            jax.block_until_ready(state.best)
        if progress is not None:
            progress(cuts[min(i + 1, len(cuts) - 1)], sum(steps[: i + 1]))
    return Asked(np.concatenate(answers, axis=1), state.best, tuple(steps))


def stage_steps(cuts: Sequence[int], budget: Budget, batch_size: int) -> list[int]:
    """Steps of each stage, of which the last is on all N examples and codes nothing.

    Warm, a stage makes up what its network's share lacks, so that all together are the steps of one
    full run, and those for the code fewer. From new weights, with a power of 1, a code costs the
    sum of the cuts before N over N: just over one full run where they double, 1 / (r - 1) where
    they grow by r.
    """
    full = budget.epochs * cuts[-1] / batch_size
    behind = [math.ceil(full * (cut / cuts[-1]) ** budget.power) for cut in cuts]
    if not budget.warm:
        return behind
    return [behind[0], *(after - before for before, after in itertools.pairwise(behind))]


def logits(
    model: Model, params: Params, examples: Examples, first: int, last: int, *, chunk: int
) -> Float32[np.ndarray, "members labels classes"]:
    """What every member says of the examples from `first` up to `last`."""
    tiles = [
        np.asarray(_logits(model, params, examples, jnp.int32(start), chunk=chunk))
        for start in range(first, last, _ASKED)
    ]
    return np.concatenate(tiles, axis=1)[:, : last - first]


def stage_compilations() -> int:
    """Programs that grow networks, compiled (or loaded from the cache) by this process."""
    program: Any = _grow
    return program._cache_size()


def _stage(seen: int, steps: int, held_back: float) -> Stage:
    train_size = seen - int(held_back * seen)
    evaluations = min(_EVALUATIONS, steps) if train_size < seen else 1
    # Rounded down, so that no code costs more than its budget.
    numbers = (train_size, seen, max(1, evaluations), steps // max(1, evaluations))
    return Stage(*(jnp.int32(number) for number in numbers))


@functools.partial(jax.jit, static_argnames="recipe")
def _learners(recipe: Recipe, rates: Rates, params: Params) -> Learner:
    return jax.vmap(lambda p: growing.learner(p, recipe.rule, rates))(params)


@functools.partial(
    jax.jit, static_argnames=("model", "recipe", "chunk"), donate_argnames=("state",)
)
def _grow(
    model: Model,
    recipe: Recipe,
    rates: Rates,
    examples: Examples,
    stage: Stage,
    state: Learner,
    keys: Array,
    *,
    chunk: int,
) -> Learner:
    def one(state: Learner, key: Array) -> Learner:
        return growing.grown(model, recipe, rates, examples, stage, state, key)

    return mapped(one, chunk, state, keys)


@functools.partial(jax.jit, static_argnames=("model", "chunk"))
def _logits(
    model: Model, params: Params, examples: Examples, first: Int[Array, ""], *, chunk: int
) -> Array:
    index = jnp.minimum(first + jnp.arange(_ASKED), examples.labels.shape[0] - 1)
    inputs, _ = pick(examples, index)
    return mapped(lambda params: model.apply(params, inputs)[0], chunk, params)
