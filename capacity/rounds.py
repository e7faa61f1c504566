"""A subject's networks, round by round: trained, pruned, trained again, and their controls."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from capacity import criteria, lottery, training
from capacity.criteria import Batch, Criterion
from capacity.lottery import REINITIALISED, SMALL_DENSE, TICKET, Operations, Round, Standing
from capacity.models import Params
from capacity.sparsity import dense_level, lottery_of, pruning_levels
from capacity.subject import Subject, narrowed
from capacity.teaching import Show, Train, teach
from capacity.training import Request, Snapshot


def alone(request: Request) -> Snapshot:
    """A population by itself."""
    (trained,) = training.train_together([request])
    if isinstance(trained, Exception):
        raise trained
    return trained


def rounds(
    subject: Subject, progress: Show, standing: Standing | None = None, train: Train = alone
) -> Iterator[tuple[Subject, Round]]:
    """Every population as soon as it is trained, and whose it is: small controls have their own.

    Args:
      standing: to go on from; rounds before it are not trained again.
      train: who trains what a round asks for.
    """
    config = subject.config
    counter = itertools.count(config.pruning.trained(standing.number) if standing else 0)
    initial = _initial(subject)
    taught = partial(teach, train, progress)
    do = _operations(subject, initial, taught, counter)
    controls = [c for c in config.pruning.controls if c != SMALL_DENSE]
    for played in lottery.play(lottery_of(config.pruning), initial, do, standing):
        last = played.number > 0 and played.control == [TICKET, *controls][-1]
        if SMALL_DENSE in config.pruning.controls and last:
            yield subject, played._replace(standing=None)
            small, control = _small(subject, played, taught, counter)
            yield small, control._replace(standing=played.standing)
        else:
            yield subject, played


def _operations(
    subject: Subject, initial: Params, taught: Callable[..., Snapshot], counter: Iterator[int]
) -> Operations:
    config, settings = subject.config, subject.config.pruning
    seeds = range(config.seeds)
    kept = pruning_levels(settings, subject.model)
    batch = _batch(subject)
    criterion = Criterion(
        # Where a dynamic mask starts is drawn; then it moves.
        method="random" if settings.timing == "dynamic" else settings.method,
        least=settings.least,
        pattern=settings.n_of_m,
        activation=config.model.activation,
    )

    def fit(params: Params, mask: training.Mask, index: int, control: str) -> Snapshot:
        count = next(counter)
        return taught(subject, params, mask, index, control, kept[index], count)

    def chosen(params: Params, mask: training.Mask, index: int) -> training.Mask:
        keys = training.member_keys(seeds, "pruning", index)
        return criteria.chosen(
            criterion, subject.model, params, mask, kept[index], keys, batch, chunk=subject.chunk
        )

    def shuffled(mask: training.Mask, index: int) -> training.Mask:
        keys = training.member_keys(seeds, "random mask", index)
        if not criterion.structured:
            return criteria.shuffled(mask, keys)
        return criteria.chosen(
            criterion.random,
            subject.model,
            initial,
            lottery.dense_mask(initial),
            kept[index],
            keys,
            batch,
            chunk=subject.chunk,
        )

    def fresh(index: int) -> Params:
        return training.initial(subject.model, training.member_keys(seeds, REINITIALISED, index))

    return Operations(fit, chosen, shuffled, fresh)


def _small(
    subject: Subject, played: Round, taught: Callable[..., Snapshot], counter: Iterator[int]
) -> tuple[Subject, Round]:
    """The widest dense network of no more weights than the round has left."""
    left = sum(int(np.sum(m[0])) for m in played.mask.values())
    small = narrowed(subject, left)
    initial = _initial(small)
    mask = lottery.dense_mask(initial)
    kept = dense_level(small.config.pruning, small.model)
    trained = taught(small, initial, mask, played.number, SMALL_DENSE, kept, next(counter))
    return small, Round(played.number, SMALL_DENSE, mask, trained.state, initial)


def _initial(subject: Subject) -> Params:
    if subject.start is not None:
        return {name: jnp.array(leaf) for name, leaf in subject.start.items()}
    keys = training.member_keys(range(subject.config.seeds), "initial")
    return training.initial(subject.model, keys)


def _batch(subject: Subject) -> Batch:
    count = len(subject.dataset.train.labels)
    drawn = jax.random.permutation(training.member_keys([0], "pruning examples")[0], count)
    return Batch(subject.train, drawn[: subject.config.pruning.examples])
