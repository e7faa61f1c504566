"""One network whose training set grows, as pure functions that a population maps."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key

from capacity.models import Model, Params
from capacity.training.examples import Examples, example_losses, pick
from capacity.training.optimizer import Rates, Rule, transformation
from capacity.training.order import shuffled
from capacity.training.quantising import shifted
from capacity.training.step import stepped, turned

_TILE = 500
_AVERAGED = 8.0


class Recipe(NamedTuple):
    """How every network of a code is trained: what shapes the compiled program.

    Attributes:
      rule: batch and optimiser.
      shift: pixels by which images are moved at most, another way at every sight; 0 for vectors. In
        training only: asked and evaluated is every network on the images as they stand.
    """

    rule: Rule = Rule(batch_size=128)
    shift: int = 0


class Stage(NamedTuple):
    """What a network may see and for how long; every number is an argument of the program.

    Attributes:
      train_size: it learns from the examples before this one.
      seen: the examples from `train_size` up to this one are held back, for early stopping; the
        loss of none is 0, and the last weights are then the best.
      evaluations: how often the held-back loss is taken, at least 1.
      every: steps between two of them.
    """

    train_size: Int[Array, ""]
    seen: Int[Array, ""]
    evaluations: Int[Array, ""]
    every: Int[Array, ""]


class Learner(NamedTuple):
    """A network that goes on learning.

    Attributes:
      average: of its weights along the way; see `grown`.
      best: the average with the smallest held-back loss in the latest stage.
      steps: behind it, over all stages.
    """

    params: Params
    moments: optax.OptState
    average: Params
    best: Params
    steps: Int[Array, ""]


def learner(params: Params, rule: Rule, rates: Rates) -> Learner:
    """A network before its first step."""
    # Copies, as state is donated and no buffer may be donated twice.
    average, best = jax.tree.map(jnp.copy, (params, params))
    moments = transformation(rule, rates).init(params)
    return Learner(params, moments, average, best, jnp.int32(0))


def grown(
    model: Model,
    recipe: Recipe,
    rates: Rates,
    examples: Examples,
    stage: Stage,
    learner: Learner,
    key: Key[Array, ""],
) -> Learner:
    """`learner` after a stage; examples from `stage.seen` on are never read.

    Asked are averages of the weights, not the weights: after t steps the latest counts
    9 / (t + 8), so that the window grows with the training and no rate has to decay (the
    polynomial-decay averaging of Shamir & Zhang, 2013, with eta = 8).
    """
    order_key, shift_key = jax.random.split(key)
    update = transformation(recipe.rule, rates).update
    batch = jnp.arange(recipe.rule.batch_size)

    def step(_: Array, carry: tuple) -> tuple:
        params, moments, average, done = carry
        index = shuffled(order_key, done * batch.size + batch, stage.train_size)
        inputs, labels = pick(examples, index)
        inputs = shifted(inputs, recipe.shift, jax.random.fold_in(shift_key, done))
        params, moments = stepped(model, update, params, moments, {}, inputs, labels)[:2]
        share = (_AVERAGED + 1) / (done.astype(jnp.float32) + 1 + _AVERAGED)
        average = jax.tree.map(lambda a, p: a + share * (p - a), average, params)
        return params, moments, average, done + 1

    def evaluation(_: Array, carry: tuple) -> tuple:
        latest, best, best_loss = carry
        latest = jax.lax.fori_loop(0, stage.every, step, latest)
        loss = held_back_loss(model, turned(latest[2]), examples, stage)
        better = loss <= best_loss
        best = jax.tree.map(lambda new, old: jnp.where(better, new, old), latest[2], best)
        return latest, best, jnp.where(better, loss, best_loss)

    turn = turned(learner)
    carry = ((turn.params, turn.moments, turn.average, turn.steps), turn.best, jnp.inf)
    latest, best, _ = jax.lax.fori_loop(0, stage.evaluations, evaluation, carry)
    params, moments, average, done = latest
    return turned(Learner(params, moments, average, best, done))


def held_back_loss(
    model: Model, params: Params, examples: Examples, stage: Stage
) -> Float[Array, ""]:
    """Summed loss, in nats, of the examples that the stage holds back."""
    tiles = (stage.seen - stage.train_size + _TILE - 1) // _TILE

    def add(i: Array, total: Array) -> Array:
        position = stage.train_size + i * _TILE + jnp.arange(_TILE)
        index = jnp.minimum(position, stage.seen - 1)
        loss, _ = example_losses(model, params, *pick(examples, index))
        return total + jnp.sum(jnp.where(position < stage.seen, loss, 0))

    return jax.lax.fori_loop(0, tiles, add, jnp.zeros(()))
