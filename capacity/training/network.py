"""One network from key to trained weights, as pure functions that a population maps."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, Key

from capacity.models import Model, Params
from capacity.pruning import Mask
from capacity.training.optimizer import Rates, Rule, transformation
from capacity.training.order import shuffled
from capacity.training.watching import Watch, Watched, noted, unwatched, watched

T = TypeVar("T")

_LN2 = 0.6931471805599453
_EVALUATION_BATCH = 500


class Examples(NamedTuple):
    """A split on the device; networks see (inputs - offset) * scale."""

    inputs: Array  # [n, *input_shape], uint8 or float32
    labels: Int[Array, " n"]
    offset: Float[Array, "..."]
    scale: Float[Array, "..."]


class Plan(NamedTuple):
    """How long to train and on what; every number is an argument of the compiled program."""

    rates: Rates
    train_size: Int[Array, ""]
    evaluate_every: Int[Array, ""]


class Curve(NamedTuple):
    """Losses (bits) and accuracies at every evaluation, NaN where none has happened yet."""

    train_loss: Float[Array, " evaluations"]
    train_accuracy: Float[Array, " evaluations"]
    validation_loss: Float[Array, " evaluations"]
    validation_accuracy: Float[Array, " evaluations"]


class State(NamedTuple):
    """A network in training.

    Attributes:
      first_epoch: bits of the labels in the whole batches of the first epoch so far, each under the
        network before its update: what a prequential code of them costs (`first_epoch_code`).
      watched: the saturation of its layers at every evaluation, where that is wanted.
    """

    params: Params
    moments: optax.OptState
    best: Params
    best_evaluation: Int[Array, ""]
    curve: Curve
    first_epoch: Float[Array, ""]
    watched: Watched

    @property
    def diverged(self) -> Bool[Array, "..."]:
        """Whether a loss of the whole, finished curve is NaN or infinite."""
        finite = jnp.isfinite(self.curve.train_loss) & jnp.isfinite(self.curve.validation_loss)
        return ~jnp.all(finite, axis=-1)


class Quality(NamedTuple):
    """Mean -log2 p(label), in bits, and share of right answers over a split."""

    loss: Float[Array, ""]
    accuracy: Float[Array, ""]


def start(
    model: Model,
    params: Params,
    mask: Mask,
    rule: Rule,
    rates: Rates,
    evaluations: int,
    watch: Watch,
) -> State:
    """A network before its first step, with pruned weights at zero and room for `evaluations`."""
    params = masked(params, mask)
    curve = Curve(*(jnp.full((evaluations,), jnp.nan, jnp.float32) for _ in Curve._fields))
    moments = transformation(rule, rates).init(params)
    # A copy, as state is donated and no buffer may be donated twice.
    best = jax.tree.map(jnp.copy, params)
    room = unwatched(model, watch, evaluations)
    return State(params, moments, best, jnp.int32(0), curve, jnp.zeros(()), room)


def advance(
    model: Model,
    rule: Rule,
    plan: Plan,
    train: Examples,
    validation: Examples,
    state: State,
    mask: Mask,
    key: Key[Array, ""],
    done: Int[Array, ""],
    until: Int[Array, ""],
    watch: Watch,
) -> State:
    """`state`, that has `done` evaluations behind it, trained until there are `until`.

    The network of the smallest validation loss so far is kept in `state.best`. A network whose loss
    became NaN stays so, and keeps the best weights of before.
    """
    state = _turned_state(state)
    mask = turned(mask)

    def evaluation(now: Array, state: State) -> State:
        state = _until_evaluation(model, rule, plan, train, validation, state, mask, key, now)
        if not watch.examples:
            return state
        inputs, _ = pick(validation, jnp.arange(watch.examples))
        seen = watched(model, watch, turned(state.params), inputs)
        return state._replace(watched=noted(state.watched, seen, now))

    return _turned_state(jax.lax.fori_loop(done, until, evaluation, state))


def evaluate(model: Model, params: Params, split: Examples) -> Quality:
    """Loss and accuracy of a network over a whole split, batch by batch."""
    size = split.labels.shape[0]
    batch = min(size, _EVALUATION_BATCH)
    batches = -(-size // batch)

    def add(i: Array, sums: Quality) -> Quality:
        position = i * batch + jnp.arange(batch)
        index = jnp.minimum(position, size - 1)
        loss, right = example_losses(model, params, *pick(split, index))
        real = position < size
        return Quality(
            sums.loss + jnp.sum(jnp.where(real, loss, 0)),
            sums.accuracy + jnp.sum(right & real, dtype=jnp.float32),
        )

    sums = jax.lax.fori_loop(0, batches, add, Quality(jnp.zeros(()), jnp.zeros(())))
    return Quality(sums.loss / size / _LN2, sums.accuracy / size)


def masked(params: Params, mask: Mask) -> Params:
    """`params` with pruned weights at exactly zero."""
    return {n: jnp.where(mask[n], p, 0) if n in mask else p for n, p in params.items()}


def pick(split: Examples, index: Int[Array, " batch"]) -> tuple[Array, Array]:
    """Inputs as networks see them, and labels, of the examples at `index`."""
    inputs = split.inputs[index].astype(jnp.float32)
    offset, scale = (jnp.broadcast_to(v, inputs.shape) for v in (split.offset, split.scale))
    return (inputs - offset) * scale, split.labels[index]


def example_losses(
    model: Model, params: Params, inputs: Array, labels: Array
) -> tuple[Array, Array]:
    """Loss in nats and whether the answer is right, per example."""
    logits, _ = model.apply(params, inputs)
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    return loss, jnp.argmax(logits, axis=-1) == labels


def stepped(
    model: Model,
    update: Callable[..., Any],
    params: Params,
    moments: optax.OptState,
    mask: Mask,
    inputs: Array,
    labels: Array,
) -> tuple[Params, optax.OptState, Array, Array]:
    """Turned `params` and moments after one step, and mean loss (nats) and accuracy before it."""

    def mean_loss(params: Params) -> tuple[Array, Array]:
        loss, right = example_losses(model, turned(params), inputs, labels)
        return jnp.mean(loss), jnp.mean(right)

    (loss, accuracy), grads = jax.value_and_grad(mean_loss, has_aux=True)(params)
    # The gradient is masked, not the weights: pruned entries start at zero and never move, and
    # the product fuses with the update instead of costing a pass over the weights.
    grads = masked(grads, mask)
    updates, moments = update(grads, moments, params)
    stepped: Any = optax.apply_updates(params, updates)
    return stepped, moments, loss, accuracy


def turned(tree: T) -> T:
    """Every matrix as [out, in]: its gradient is then written row by row, a tenth of a step faster.

    Turning again gives the tree back.
    """
    return jax.tree.map(lambda leaf: leaf.T if leaf.ndim == 2 else leaf, tree)


def _until_evaluation(
    model: Model,
    rule: Rule,
    plan: Plan,
    train: Examples,
    validation: Examples,
    state: State,
    mask: Mask,
    key: Key[Array, ""],
    now: Int[Array, ""],
) -> State:
    """The steps up to the evaluation with the index `now`, and that evaluation."""
    update = transformation(rule, plan.rates).update
    batch_size = rule.batch_size

    def step(i: Array, carry: tuple) -> tuple:
        params, moments, sums = carry
        position = (now * plan.evaluate_every + i) * batch_size
        index = shuffled(key, position + jnp.arange(batch_size), plan.train_size)
        batch = pick(train, index)
        params, moments, loss, accuracy = stepped(model, update, params, moments, mask, *batch)
        first = jnp.where(position + batch_size <= plan.train_size, loss, 0)
        return params, moments, (sums[0] + loss, sums[1] + accuracy, sums[2] + first)

    zeros = (jnp.zeros(()), jnp.zeros(()), jnp.zeros(()))
    carry = (state.params, state.moments, zeros)
    params, moments, sums = jax.lax.fori_loop(0, plan.evaluate_every, step, carry)
    quality = evaluate(model, turned(params), validation)

    steps = plan.evaluate_every.astype(jnp.float32)
    values = (sums[0] / steps / _LN2, sums[1] / steps, *quality)
    curve = Curve(*(line.at[now].set(v) for line, v in zip(state.curve, values, strict=True)))
    best_loss = jnp.where(now == 0, jnp.inf, state.curve.validation_loss[state.best_evaluation])
    better = quality.loss < best_loss
    best = jax.tree.map(lambda new, old: jnp.where(better, new, old), params, state.best)
    best_evaluation = jnp.where(better, now, state.best_evaluation)
    first_epoch = state.first_epoch + sums[2] * batch_size / _LN2
    return State(params, moments, best, best_evaluation, curve, first_epoch, state.watched)


def _turned_state(state: State) -> State:
    return state._replace(
        params=turned(state.params), moments=turned(state.moments), best=turned(state.best)
    )
