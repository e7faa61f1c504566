"""Lottery tickets: train, prune, rewind, again (Frankle & Carbin, 2019)."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity.models import Params, is_kernel, is_output
from capacity.pruning import kept_count, magnitude, prune_population
from capacity.training import Mask, Snapshot, State

TICKET, REINITIALISED = "ticket", "reinitialised"


class Lottery(NamedTuple):
    """How to prune and what to restart.

    Attributes:
      output_rate: of the output layer of a layerwise lottery.
      rewind: `weights`, or `learning-rate`: a round then goes on from the weights as they were
        trained, its schedule anew (Renda et al., 2020, arXiv:2003.02389).
    """

    rounds: int
    rate: float
    output_rate: float | None = None
    scope: str = "layerwise"
    reinitialised: bool = False
    rewind: str = "weights"


class Round(NamedTuple):
    """A population after training: a round's rewound tickets, or its reinitialised controls.

    Attributes:
      initial: [members, ...] weights as they were drawn; unpruned, and not those rewound to.
    """

    number: int
    control: str
    mask: Mask
    state: State
    initial: Params


Fit = Callable[[Params, Mask, int, str], Snapshot]
"""(initial weights, mask, round, control) to the trained population; all have a member axis."""


def play(
    lottery: Lottery, initial: Params, fresh: Callable[[int], Params], fit: Fit
) -> Iterator[Round]:
    """The dense round and `lottery.rounds` pruned ones, each as soon as it is trained.

    What a round prunes is decided by the magnitudes at the last step; what is left restarts from
    the snapshot of the dense round, or from that last step. Biases and normalisation are never
    pruned. Masks only shrink and every member keeps the same exact number of weights.

    Args:
      initial: [members, ...] weights of the dense round.
      fresh: other initial weights for the controls of a round, by its index.
      fit: trains a population; it is called with arguments of the same shapes every time.
    """
    mask = dense_mask(initial)
    rewound = initial
    for index in range(lottery.rounds + 1):
        trained = fit(rewound, mask, index, TICKET)
        rewound = trained.earlier if index == 0 else rewound
        yield Round(index, TICKET, mask, trained.state, initial)
        if lottery.reinitialised and index > 0:
            drawn = fresh(index)
            control = fit(drawn, mask, index, REINITIALISED)
            yield Round(index, REINITIALISED, mask, control.state, drawn)
        if index < lottery.rounds:
            mask = pruned(lottery, trained.state.params, mask)
            if lottery.rewind == "learning-rate":
                rewound = trained.state.params


def pruned(lottery: Lottery, params: Params, mask: Mask) -> Mask:
    """The masks [members, ...] of the next round."""
    remaining = {name: int(np.sum(m[0])) for name, m in mask.items()}
    if lottery.scope == "global":
        # A layer may lose more than its share, so only the sum is the same for every member.
        kept = jnp.int32(kept_count(sum(remaining.values()), lottery.rate))
    else:
        output_rate = lottery.rate if lottery.output_rate is None else lottery.output_rate
        kept = {
            name: jnp.int32(kept_count(count, output_rate if is_output(name) else lottery.rate))
            for name, count in remaining.items()
        }
    return prune_population(magnitude(params, mask), mask, kept)


def dense_mask(params: Params) -> Mask:
    """The mask that keeps every weight of every prunable tensor."""
    return jax.tree.map(
        lambda leaf: jnp.ones(leaf.shape, bool),
        {name: leaf for name, leaf in params.items() if is_kernel(name)},
    )
