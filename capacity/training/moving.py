"""Masks that change while a network trains: gradual pruning, and dynamic sparse training."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, Key

from capacity.models import Params
from capacity.pruning import (
    Mask,
    competition,
    drop_fraction,
    forgotten,
    magnitude,
    prune,
    rigl,
    scored,
    sparse_evolution,
)

FIXED, GRADUAL, MOVEMENT, SET, RIGL = "fixed", "gradual", "movement", "set", "rigl"
"""How a mask moves; part of the compiled program. `movement` is gradual by that score."""


class Moves(NamedTuple):
    """When a mask moves and how far; arguments of the compiled program.

    Attributes:
      start: step of the first update; they are `every` steps apart.
      updates: after the first.
      kept: weights that each update of a gradual schedule leaves, by tensor or in all; empty where
        their number stays.
      fraction: of each tensor's weights that the first update of dynamic training exchanges; it
        decays to 0 along a half cosine.
      least: weights that every layer keeps at least where all compete.
    """

    start: Int[Array, ""]
    every: Int[Array, ""]
    updates: Int[Array, ""]
    kept: Mapping[str, Int[Array, " updates"]] | Int[Array, " updates"]
    fraction: Float[Array, ""]
    least: Int[Array, ""]

    @property
    def last(self) -> Int[Array, ""]:
        """Step of the last update."""
        return self.start + self.updates * self.every


class Sparse(NamedTuple):
    """What moves along: the mask, and by weight its movement so far where that decides."""

    mask: Mask
    movement: Params


def sparse(moving: str, mask: Mask) -> Sparse:
    """Before the first step; empty where the mask is fixed and not part of the state."""
    if moving == FIXED:
        return Sparse({}, {})
    scores = {name: jnp.zeros(m.shape, jnp.float32) for name, m in mask.items()}
    return Sparse(jax.tree.map(jnp.copy, mask), scores if moving == MOVEMENT else {})


def due(moves: Moves, step: Int[Array, ""]) -> Bool[Array, ""]:
    """Whether the mask moves before the step that has `step` others behind it."""
    past = step - moves.start
    return (past >= 0) & (step <= moves.last) & (past % moves.every == 0)


def following(moves: Moves, step: Int[Array, ""]) -> Int[Array, ""]:
    """The first step after `step` at which the mask may move."""
    past = step - moves.start
    return jnp.where(past < 0, moves.start, moves.start + (past // moves.every + 1) * moves.every)


def moved(
    moving: str,
    moves: Moves,
    step: Int[Array, ""],
    key: Key[Array, ""],
    params: Params,
    moments: optax.OptState,
    state: Sparse,
    gradient: Callable[[Params], Params],
) -> tuple[Params, optax.OptState, Sparse]:
    """Weights, moments and mask after an update.

    Args:
      gradient: of the loss at a batch, by every weight, pruned ones too.
    """
    mask = state.mask
    if moving in (GRADUAL, MOVEMENT):
        scores = scored(state.movement, mask) if moving == MOVEMENT else magnitude(params, mask)
        index = jnp.clip((step - moves.start) // moves.every, 0, moves.updates)
        count = jax.tree.map(lambda table: table[index], moves.kept)
        if not isinstance(count, Mapping):
            count = competition(scores, mask, count, moves.least)
        after = prune(scores, mask, count)
        kept = {n: jnp.where(after[n], p, 0) if n in after else p for n, p in params.items()}
    else:
        length = jnp.maximum(moves.last - moves.start, 1)
        share = drop_fraction(step - moves.start, length, 1.0) * moves.fraction
        if moving == SET:
            kept, after = sparse_evolution(key, params, mask, share)
        else:
            kept, after = rigl(params, gradient(params), mask, share)
    return kept, forgotten(moments, mask, after), Sparse(after, state.movement)
