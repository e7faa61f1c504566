"""A subject's networks, round by round: trained, pruned, trained again, and their controls."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from capacity import criteria, lottery, training, updates
from capacity.criteria import Batch, Criterion, Kept
from capacity.lottery import (
    RANDOM_MASK,
    REINITIALISED,
    SIBLING,
    SMALL_DENSE,
    TICKET,
    Operations,
    Round,
    Standing,
)
from capacity.models import Params, is_kernel
from capacity.pruning import kept_counts
from capacity.saturation import RANGES
from capacity.sparsity import dense_level, gradual_schedule, lottery_of, pruning_levels
from capacity.subject import Progress, Subject, narrowed
from capacity.training import Moves, Request, Seen, Snapshot, Watch

GOING_ON = (TICKET, SIBLING, RANDOM_MASK)
"""Networks that start from what their round rewinds to, and are fine-tuned where it is trained."""
Show = Callable[[Progress], None] | None
Train = Callable[[Request], Snapshot]


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
    teach = partial(_trained, train, progress)
    do = _operations(subject, initial, teach, counter)
    controls = [c for c in config.pruning.controls if c != SMALL_DENSE]
    for played in lottery.play(lottery_of(config.pruning), initial, do, standing):
        last = played.number > 0 and played.control == [TICKET, *controls][-1]
        if SMALL_DENSE in config.pruning.controls and last:
            yield subject, played._replace(standing=None)
            small, control = _small(subject, played, teach, counter)
            yield small, control._replace(standing=played.standing)
        else:
            yield subject, played


def _operations(
    subject: Subject, initial: Params, teach: Callable[..., Snapshot], counter: Iterator[int]
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
        return teach(subject, params, mask, index, control, kept[index], count)

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


def _trained(
    train: Train,
    progress: Show,
    subject: Subject,
    params: Params,
    mask: training.Mask,
    index: int,
    control: str,
    kept: Kept,
    behind: int,
) -> Snapshot:
    config, every = subject.config, subject.config.training.evaluate_every
    settings, steps, watch = config.pruning, subject.evaluations * every, _watch(subject)
    total = settings.trainings * steps

    def show(done: int, seen: Seen) -> None:
        if progress is not None:
            loss = np.mean(np.asarray(seen.curve.validation_loss)[:, done - 1])
            accuracy = np.mean(np.asarray(seen.curve.validation_accuracy)[:, done - 1])
            step = behind * steps + done * every
            layers = training.saturation_now(watch, seen.watched, done - 1)
            progress(Progress(index, control, step, total, float(loss), float(accuracy), layers))

    rule = updates.rule(config.training, config.training.batch_size)
    rates = updates.rates(config.training, steps)
    if settings.rewind == "fine-tuning" and index > 0 and control in GOING_ON:
        rates = rates._replace(
            learning_rate=rates.learning_rate * jnp.float32(settings.finetune_rate)
        )
    size = jnp.int32(len(subject.dataset.train.labels))
    plan = training.Plan(rates, size, jnp.int32(every))
    if settings.timing not in lottery.DURING:
        plan = plan._replace(units=_trained_units(subject, mask, steps))
    else:
        moving = settings.method if settings.timing == "dynamic" else _gradual(settings.method)
        rule = rule._replace(moving=moving)
        plan = plan._replace(moves=_moves(subject, kept, rests=control != TICKET))
    request = Request(
        subject.model,
        rule,
        plan,
        subject.train,
        subject.validation,
        params,
        mask,
        training.member_keys(range(config.seeds), f"order/{control}", index),
        subject.evaluations,
        chunk=subject.chunk,
        snapshot=settings.rewind_step // every,
        progress=show,
        watch=watch,
        wider=config.training.chunk == "auto" and jax.default_backend() != "cpu",
    )
    trained = train(request)
    # Rows are made of it number by number: on a device, each would be a transfer of its own.
    state = trained.state
    curve, watched = jax.device_get((state.curve, state.watched))
    return trained._replace(state=state._replace(curve=curve, watched=watched))


def _trained_units(subject: Subject, mask: training.Mask, steps: int) -> training.Trained | None:
    """The units to train, where others are useless and leaving them out is worth it."""
    wanted, settings = subject.config.pruning.narrow, subject.config.training
    if wanted is False or settings.weight_decay:
        return None  # Decay moves weights that have no gradient, too.
    units = training.trained_units(subject.model, mask)
    if units is None or wanted is True:
        return units
    examples = steps * settings.batch_size * subject.config.seeds
    return units if training.pays(subject.model, units, examples, settings.evaluate_every) else None


def _gradual(method: str) -> str:
    return "movement" if method == "movement" else "gradual"


def _moves(subject: Subject, kept: Kept, *, rests: bool) -> Moves:
    """When the mask moves, and what is left each time; a control's mask is final from the start."""
    settings, every = subject.config.pruning, subject.config.training.evaluate_every
    schedule = gradual_schedule(settings, subject.evaluations * every)
    shapes = jax.eval_shape(subject.model.init, jax.random.key(0))
    sizes = {name: leaf.size for name, leaf in shapes.items() if is_kernel(name)}

    def table(size: int, left: int) -> jax.Array:
        return jnp.asarray(kept_counts(schedule._replace(final=1 - left / size), size), jnp.int32)

    left: Mapping[str, jax.Array] | jax.Array = {}
    if settings.timing == "gradual":
        if isinstance(kept, Mapping):
            left = {name: table(sizes[name], count) for name, count in kept.items()}
        else:
            left = table(sum(sizes.values()), kept)
    return Moves(
        start=jnp.int32(schedule.start),
        every=jnp.int32(schedule.every),
        updates=jnp.int32(schedule.updates),
        kept=left,
        least=jnp.int32(settings.least),
        fraction=jnp.float32(0 if rests else settings.exchange),
    )


def _small(
    subject: Subject, played: Round, teach: Callable[..., Snapshot], counter: Iterator[int]
) -> tuple[Subject, Round]:
    """The widest dense network of no more weights than the round has left."""
    left = sum(int(np.sum(m[0])) for m in played.mask.values())
    small = narrowed(subject, left)
    initial = _initial(small)
    mask = lottery.dense_mask(initial)
    kept = dense_level(small.config.pruning, small.model)
    trained = teach(small, initial, mask, played.number, SMALL_DENSE, kept, next(counter))
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


def _watch(subject: Subject) -> Watch:
    settings, examples = subject.config.saturation, len(subject.dataset.validation.labels)
    return Watch(
        min(settings.examples, examples),
        settings.delta,
        settings.tau,
        settings.pooling,
        RANGES.get(subject.config.model.activation),
    )
