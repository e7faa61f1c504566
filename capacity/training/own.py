"""What each member of a population has for itself: rates, labels, and how far its mask moves."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from capacity.models import Params
from capacity.training.examples import Examples
from capacity.training.narrow import Trained
from capacity.training.network import Plan
from capacity.training.optimizer import Rates


class Own(NamedTuple):
    """What each member has for itself, [members, ...].

    Attributes:
      changes: of `Moves`, what they leave, exchange and spare; None where masks are fixed.
      train, validation: labels.
      units: that are trained; None for all.
    """

    rates: Rates
    train_size: Array
    changes: tuple[Any, Array, Array] | None
    train: Array
    validation: Array
    units: Trained | None = None


def own_of(plan: Plan, train: Examples, validation: Examples, params: Params) -> Own:
    """Numbers of all members said for each: one program then serves both."""
    count = len(jax.tree.leaves(params)[0])

    def each(leaf: Array, axes: int = 0) -> Array:
        leaf = jnp.asarray(leaf)
        return leaf if leaf.ndim > axes else jnp.broadcast_to(leaf, (count, *leaf.shape))

    moves, changes = plan.moves, None
    if moves is not None:
        kept = jax.tree.map(lambda table: each(table, 1), moves.kept)
        changes = kept, each(moves.fraction), each(moves.least)
    return Own(
        jax.tree.map(each, plan.rates),
        each(plan.train_size),
        changes,
        each(train.labels, 1),
        each(validation.labels, 1),
        jax.tree.map(lambda units: each(units, 1), plan.units),
    )


def of_one(plan: Plan, own: Own) -> Plan:
    """A member's plan: when things happen is shared, all else its own."""
    moves = plan.moves
    if moves is not None and own.changes is not None:
        kept, fraction, least = own.changes
        moves = moves._replace(kept=kept, fraction=fraction, least=least)
    return plan._replace(rates=own.rates, train_size=own.train_size, moves=moves, units=own.units)
