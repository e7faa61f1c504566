"""Pruning round after round: train, prune, rewind, again, and what that is compared with.

With magnitudes, iterative, and weights rewound these are the lottery tickets of Frankle & Carbin
(2019); every other method and schedule goes through the same levels of sparsity.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity.criteria import Kept
from capacity.models import Params, is_kernel, is_output
from capacity.pruning import PruningError, erk, kept_count
from capacity.training import Mask, Snapshot, State

TICKET = "ticket"
REINITIALISED, RANDOM_MASK, RANDOM_TICKET = "reinitialised", "random-mask", "random-ticket"
SIBLING, SMALL_DENSE = "sibling", "small-dense"
DURING = ("gradual", "dynamic")
"""Schedules whose masks move while a network trains, from a start that is the same each round."""


class Lottery(NamedTuple):
    """How to prune and what to restart.

    Attributes:
      output_rate, convolution_rate: of the output layer and of convolutions in a layerwise lottery.
      allocation: `layerwise`, `erk` or `global`: what a round keeps of each layer, or in all.
      schedule: when a round's mask is made: `iterative`, of the round before it; `one-shot`, of the
        dense one; `before-training`, of the weights that a round starts from; `gradual` and
        `dynamic`, while it trains.
      rewind: `weights`; or `learning-rate` or `fine-tuning`, which go on from the weights as they
        were trained (Renda et al., 2020, arXiv:2003.02389; Han et al., 2015).
      controls: besides each pruned round.
    """

    rounds: int
    rate: float
    output_rate: float | None = None
    convolution_rate: float | None = None
    allocation: str = "layerwise"
    schedule: str = "iterative"
    rewind: str = "weights"
    controls: tuple[str, ...] = ()


class Standing(NamedTuple):
    """Where a lottery is between two rounds; all leaves are [members, ...].

    Attributes:
      number: of the round that comes next.
      rewound: weights that it restarts from.
      whole: the dense round's last weights.
      last: the last weights of the round before, and `mask` its mask.
    """

    number: int
    rewound: Params
    whole: Params
    last: Params
    mask: Mask


class Round(NamedTuple):
    """A population after training: a round's pruned networks, or its controls.

    Attributes:
      initial: [members, ...] weights as they were drawn; unpruned, and not those rewound to.
      other: last weights of the networks whose siblings these are.
      standing: with the last population of a round, unless it is the last round.
    """

    number: int
    control: str
    mask: Mask
    state: State
    initial: Params
    other: Params | None = None
    standing: Standing | None = None


class Operations(NamedTuple):
    """What a lottery asks of the world; all arguments and results have a member axis.

    Attributes:
      fit: (initial weights, mask, round, control) to the trained population.
      chosen: (weights, mask, round) to the mask that the round keeps of them.
      shuffled: (mask, round) to a random one with the same counts.
      fresh: other initial weights for the controls of a round.
    """

    fit: Callable[[Params, Mask, int, str], Snapshot]
    chosen: Callable[[Params, Mask, int], Mask]
    shuffled: Callable[[Mask, int], Mask]
    fresh: Callable[[int], Params]


def play(
    lottery: Lottery, initial: Params, do: Operations, standing: Standing | None = None
) -> Iterator[Round]:
    """The dense round and `lottery.rounds` pruned ones, each as soon as it is trained.

    What a round prunes is decided by weights at the last step; what is left restarts from the
    snapshot of the dense round, or from that last step. Biases and normalisation are never pruned.

    Args:
      initial: [members, ...] weights of the dense round.
      standing: to go on from, where a lottery was left.
    """
    dense = dense_mask(initial)
    start = standing or Standing(0, initial, initial, initial, dense)
    number, rewound, whole, last, mask = start
    for index in range(number, lottery.rounds + 1):
        mask = _next_mask(lottery, Standing(index, rewound, whole, last, mask), dense, do)
        trained = do.fit(rewound, mask, index, TICKET)
        mask, last = trained.state.sparse.mask or mask, trained.state.params
        if index == 0:
            rewound, whole = trained.earlier, last
        again = rewound
        if lottery.rewind != "weights":
            again = last if lottery.schedule == "iterative" else whole
        after = Standing(index + 1, again, whole, last, mask) if index < lottery.rounds else None
        controls = [c for c in lottery.controls if c != SMALL_DENSE] if index > 0 else []
        yield Round(
            index, TICKET, mask, trained.state, initial, standing=None if controls else after
        )
        for control in controls:
            played = _control(control, rewound, mask, index, trained, initial, do)
            yield played._replace(standing=after if control == controls[-1] else None)
        rewound = again


def _next_mask(lottery: Lottery, now: Standing, dense: Mask, do: Operations) -> Mask:
    if now.number == 0 or lottery.schedule == "gradual":
        return dense  # Gradual pruning starts from it and arrives at the round's.
    if lottery.schedule == "iterative":
        return do.chosen(now.last, now.mask, now.number)
    return do.chosen(
        now.whole if lottery.schedule == "one-shot" else now.rewound, dense, now.number
    )


def levels(
    lottery: Lottery, sizes: Mapping[str, int], shapes: Mapping[str, tuple[int, ...]], least: int
) -> list[Kept]:
    """What each round keeps, the dense one first: the share `rate` of what is left goes each time.

    Args:
      sizes: what can go of each tensor: its weights, or the units that it computes.
      shapes: of the tensors; a convolution has more axes than two.

    Raises:
      PruningError: a layer cannot keep `least` weights.
    """
    rates = {name: _rate(lottery, name, shapes[name]) for name in sizes}
    remaining, total = dict(sizes), sum(sizes.values())
    found: list[Kept] = []
    for index in range(lottery.rounds + 1):
        if index > 0:
            remaining = {
                n: max(kept_count(count, rates[n]), min(least, sizes[n]))
                for n, count in remaining.items()
            }
            total = kept_count(total, lottery.rate)
        if lottery.allocation == "global":
            if total < least * len(sizes):
                raise PruningError(
                    f"{total} weights are to stay: fewer than {least} in each of "
                    f"{len(sizes)} layers"
                )
            found.append(total)
        elif lottery.allocation == "erk":
            found.append(erk(shapes, total, least=least, emptied=least == 0))
        else:
            found.append(remaining)
    return found


def _rate(lottery: Lottery, name: str, shape: tuple[int, ...]) -> float:
    rate = lottery.convolution_rate if len(shape) > 2 else None
    rate = lottery.output_rate if is_output(name) else rate
    return lottery.rate if rate is None else rate


def dense_mask(params: Params) -> Mask:
    """The mask that keeps every weight of every prunable tensor."""
    return jax.tree.map(
        lambda leaf: jnp.ones(leaf.shape, bool),
        {name: leaf for name, leaf in params.items() if is_kernel(name)},
    )


def remaining(mask: Mask) -> list[dict[str, int]]:
    """Weights kept of each tensor, by member."""
    counts = {name: np.asarray(m).reshape(m.shape[0], -1).sum(axis=1) for name, m in mask.items()}
    members = len(next(iter(counts.values())))
    return [{name: int(count[i]) for name, count in counts.items()} for i in range(members)]


def _control(
    control: str,
    rewound: Params,
    mask: Mask,
    index: int,
    ticket: Snapshot,
    initial: Params,
    do: Operations,
) -> Round:
    """With the round's mask or its counts, and with its weights or others."""
    fresh = control in (REINITIALISED, RANDOM_TICKET)
    drawn = do.fresh(index) if fresh else initial
    own = do.shuffled(mask, index) if control in (RANDOM_MASK, RANDOM_TICKET) else mask
    trained = do.fit(drawn if fresh else rewound, own, index, control)
    other = ticket.state.params if control == SIBLING else None
    return Round(index, control, own, trained.state, drawn, other)
