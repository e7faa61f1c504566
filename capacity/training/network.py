"""One network from key to trained weights, as pure functions that a population maps."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, Key

from capacity.models import Model, Params
from capacity.pruning import Mask
from capacity.pruning.scores import moved as movement
from capacity.training import moving, narrow
from capacity.training.examples import Examples, evaluate, pick
from capacity.training.moving import FIXED, Moves, Sparse
from capacity.training.optimizer import Rates, Rule, transformation
from capacity.training.order import shuffled
from capacity.training.step import gradient, masked, stepped, turned
from capacity.training.watching import Watch, Watched, noted, unwatched, watched

_LN2 = 0.6931471805599453


class Plan(NamedTuple):
    """How long to train and on what; every number is an argument of the compiled program.

    Attributes:
      moves: of a mask that `Rule.moving` changes while the network trains.
      units: that are trained, where the mask is fixed and leaves others useless; see `narrow`.
    """

    rates: Rates
    train_size: Int[Array, ""]
    evaluate_every: Int[Array, ""]
    moves: Moves | None = None
    units: narrow.Trained | None = None


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
      sparse: the mask, where it moves; `best` then is the best behind its last move.
    """

    params: Params
    moments: optax.OptState
    best: Params
    best_evaluation: Int[Array, ""]
    curve: Curve
    first_epoch: Float[Array, ""]
    watched: Watched
    sparse: Sparse = Sparse({}, {})

    @property
    def diverged(self) -> Bool[Array, "..."]:
        """Whether a loss of the whole, finished curve is NaN or infinite."""
        finite = jnp.isfinite(self.curve.train_loss) & jnp.isfinite(self.curve.validation_loss)
        return ~jnp.all(finite, axis=-1)


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
    own = moving.sparse(rule.moving, mask)
    return State(params, moments, best, jnp.int32(0), curve, jnp.zeros(()), room, own)


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
        return _until_evaluation(model, rule, plan, train, validation, state, mask, key, now, watch)

    return _turned_state(jax.lax.fori_loop(done, until, evaluation, state))


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
    watch: Watch,
) -> State:
    """The steps up to the evaluation with the index `now`, and that evaluation."""
    update = transformation(rule, plan.rates).update
    batch_size, begin = rule.batch_size, now * plan.evaluate_every

    def batch_of(step: Array) -> tuple[Array, Array]:
        position = step * batch_size
        index = shuffled(key, position + jnp.arange(batch_size), plan.train_size)
        return pick(train, index)

    def step(i: Array, carry: tuple, mask: Mask) -> tuple:
        params, moments, scores, sums = carry
        after = stepped(model, update, params, moments, mask, *batch_of(i))
        first = jnp.where((i + 1) * batch_size <= plan.train_size, after.loss, 0)
        sums = (sums[0] + after.loss, sums[1] + after.accuracy, sums[2] + first)
        return after.params, after.moments, movement(scores, params, after.gradient), sums

    def steps(first: Array, last: Array, carry: tuple, mask: Mask) -> tuple:
        return jax.lax.fori_loop(first, last, lambda i, carry: step(i, carry, mask), carry)

    def segment(carry: tuple) -> tuple:
        """From one move of the mask to the next."""
        at, params, moments, sparse, sums = carry
        assert plan.moves is not None
        moves = plan.moves
        draw = jax.random.fold_in(key, at)
        params, moments, sparse = jax.lax.cond(
            moving.due(plan.moves, at),
            lambda: _moved(model, rule, moves, at, draw, params, moments, sparse, batch_of),
            lambda: (params, moments, sparse),
        )
        until = jnp.minimum(moving.following(plan.moves, at), end)
        params, moments, scores, sums = steps(
            at, until, (params, moments, sparse.movement, sums), sparse.mask
        )
        return until, params, moments, Sparse(sparse.mask, scores), sums

    end = begin + plan.evaluate_every
    zeros = (jnp.zeros(()), jnp.zeros(()), jnp.zeros(()))
    if rule.moving == FIXED:
        whole = (state.params, state.moments, mask)
        small, moments, mask = _narrow(model, whole, plan.units)
        small, moments, _, sums = steps(begin, end, (small, moments, {}, zeros), mask)
        params, moments = _whole(model, whole[:2], (small, moments), plan.units)
        sparse, settled = state.sparse, jnp.bool_(True)
    else:
        assert plan.moves is not None
        carry = (begin, state.params, state.moments, state.sparse, zeros)
        _, params, moments, sparse, sums = jax.lax.while_loop(lambda c: c[0] < end, segment, carry)
        settled = begin > plan.moves.last
    seen, known = state.watched, None
    if watch.examples:
        inputs, _ = pick(validation, jnp.arange(watch.examples))
        look, known = watched(model, watch, turned(params), inputs)
        seen = noted(seen, look, now)
    quality = evaluate(model, turned(_narrow(model, params, plan.units)), validation, known)

    count = plan.evaluate_every.astype(jnp.float32)
    values = (sums[0] / count / _LN2, sums[1] / count, *quality)
    curve = Curve(*(line.at[now].set(v) for line, v in zip(state.curve, values, strict=True)))
    best_loss = jnp.where(now == 0, jnp.inf, state.curve.validation_loss[state.best_evaluation])
    # What was better with another mask is no network of the final one.
    better = (quality.loss < best_loss) | ~settled
    best = jax.tree.map(lambda new, old: jnp.where(better, new, old), params, state.best)
    best_evaluation = jnp.where(better, now, state.best_evaluation)
    first_epoch = state.first_epoch + sums[2] * batch_size / _LN2
    return State(params, moments, best, best_evaluation, curve, first_epoch, seen, sparse)


def _moved(
    model: Model,
    rule: Rule,
    moves: Moves,
    at: Int[Array, ""],
    key: Key[Array, ""],
    params: Params,
    moments: optax.OptState,
    sparse: Sparse,
    batch_of: Callable[[Array], tuple[Array, Array]],
) -> tuple[Params, optax.OptState, Sparse]:
    """An update of the mask; all but its arithmetic is turned."""

    def by_weight(params: Params) -> Params:
        return turned(gradient(model, turned(params), *batch_of(at))[1])

    after = moving.moved(
        rule.moving, moves, at, key, turned(params), turned(moments), turned(sparse), by_weight
    )
    return turned(after[0]), turned(after[1]), turned(after[2])


def _narrow(model: Model, tree: Any, units: narrow.Trained | None) -> Any:
    """Of what is turned, the units that are trained."""
    return tree if units is None else turned(narrow.taken(model, turned(tree), units))


def _whole(model: Model, tree: Any, small: Any, units: narrow.Trained | None) -> Any:
    """Of what is turned, all units again."""
    return small if units is None else turned(narrow.put(model, turned(tree), turned(small), units))


def _turned_state(state: State) -> State:
    return state._replace(
        params=turned(state.params),
        moments=turned(state.moments),
        best=turned(state.best),
        sparse=turned(state.sparse),
    )
