"""How sparse a network is when: at once, round after round, or gradually while it trains."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from capacity.pruning.errors import PruningError

CONVENTIONS = {"tfmot": 0, "jaxpruner": 1}
"""Steps that a gradual schedule looks ahead, as libraries disagree on where t counts from."""


class Gradual(NamedTuple):
    """Zhu & Gupta (2017), arXiv:1710.01878, equation 1: updates at start, start + every, ...

    Attributes:
      initial: s_i, the sparsity up to the first update, and `final` s_f, that of the last.
      start: t_0, the step of the first update.
      updates: n; there are n + 1 with that of the start.
      every: Delta t, steps from one update to the next.
      power: 3; 1 is a straight line.
      ahead: steps that t is ahead, of `CONVENTIONS`.
    """

    initial: float
    final: float
    start: int
    updates: int
    every: int
    power: float = 3.0
    ahead: int = 0


def gradual(
    final: float,
    start: int,
    end: int,
    every: int = 1,
    *,
    initial: float = 0.0,
    power: float = 3.0,
    convention: str = "tfmot",
) -> Gradual:
    """The schedule from `initial` at step `start` to `final` at the last update up to step `end`.

    An update at step t has sparsity final + (initial - final) (1 - (t - start) / (n every))^power,
    by the convention of TFMOT. By that of jaxpruner t is a step ahead: at step 50 of 0 to 100, on
    the way to 0.8, it is 0.7059 in place of 0.7.

    Raises:
      PruningError: a sparsity outside of 0 to 1, or steps in the wrong order.
    """
    for name, value in (("initial", initial), ("final", final)):
        _check_sparsity(f"{name} sparsity", value)
    if initial > final:
        raise PruningError(f"sparsity from {initial} to {final}: must not fall, as masks shrink")
    if end <= start:
        raise PruningError(f"a schedule from step {start} to step {end}: must end after it starts")
    if start < 0:
        raise PruningError(f"a schedule from step {start}: must start at step 0 or later")
    if not 1 <= every <= end - start:
        raise PruningError(
            f"an update every {every} steps: must be from 1 to {end - start}, the schedule's length"
        )
    if power <= 0:
        raise PruningError(f"a schedule of power {power}: must be above 0")
    if convention not in CONVENTIONS:
        raise PruningError(f"convention '{convention}': must be {' or '.join(CONVENTIONS)}")
    updates = (end - start) // every
    return Gradual(initial, final, start, updates, every, power, CONVENTIONS[convention])


def sparsity_at(schedule: Gradual, step: Int[Array, ""] | int) -> Float[Array, ""]:
    """Sparsity behind step `step`, which may be traced: that of the latest update."""
    past = jnp.asarray(step, jnp.int32) - schedule.start
    progress = (_index(schedule, past) * schedule.every + schedule.ahead).astype(jnp.float32)
    share = jnp.clip(progress / jnp.float32(schedule.updates * schedule.every), 0, 1)
    fallen = (schedule.initial - schedule.final) * (1 - share) ** jnp.float32(schedule.power)
    return jnp.where(past < 0, jnp.float32(schedule.initial), schedule.final + fallen)


def kept_counts(schedule: Gradual, size: int) -> list[int]:
    """Of `size` weights how many each update keeps, exactly: float32 cannot count a large layer."""
    span = schedule.updates * schedule.every
    counts = []
    for index in range(schedule.updates + 1):
        share = min(1.0, (index * schedule.every + schedule.ahead) / span)
        fallen = (schedule.initial - schedule.final) * (1 - share) ** schedule.power
        counts.append(kept_of(size, schedule.final + fallen))
    return counts


def kept_of(size: int, sparsity: float) -> int:
    """Weights that stay when the share `sparsity` of `size` goes: size - round(sparsity size)."""
    _check_sparsity("sparsity", sparsity)
    return size - round(sparsity * size)


def one_shot(size: int, sparsity: float) -> list[int]:
    """What is kept after each round of pruning, when there is one."""
    return [kept_of(size, sparsity)]


def iterative(size: int, sparsity: float, rounds: int) -> list[int]:
    """What is kept after each of `rounds` that remove the same share of what is left.

    That share is 1 - (1 - sparsity)^(1 / rounds); the last round has the count of `one_shot`.
    """
    if rounds < 1:
        raise PruningError(f"{rounds} rounds of pruning: must be at least 1")
    _check_sparsity("sparsity", sparsity)
    shares = [1 - (1 - sparsity) ** (index / rounds) for index in range(1, rounds)]
    return [*(kept_of(size, share) for share in shares), kept_of(size, sparsity)]


def _index(schedule: Gradual, past: Int[Array, ""]) -> Int[Array, ""]:
    """Of the latest update, 0 before the first."""
    return jnp.clip(past // schedule.every, 0, schedule.updates)


def _check_sparsity(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise PruningError(f"{name} {value}: must be from 0 (dense) to 1 (nothing is left)")
