"""How a population of a round is trained: what is asked for, and which part of it is trained."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from capacity import lottery, training, updates
from capacity.criteria import Kept
from capacity.lottery import RANDOM_MASK, SIBLING, TICKET
from capacity.models import Params, is_kernel, parameter_shapes
from capacity.pruning import kept_counts
from capacity.saturation import RANGES
from capacity.sparsity import gradual_schedule
from capacity.subject import Progress, Subject
from capacity.training import Moves, Request, Seen, Snapshot, Watch, Watched

GOING_ON = (TICKET, SIBLING, RANDOM_MASK)
"""Networks that start from what their round rewinds to, and are fine-tuned where it is trained."""
Show = Callable[[Progress], None] | None
Train = Callable[[Request], Snapshot]


def teach(
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
    """The population of a round or control, trained from these weights under this mask.

    Args:
      train: who trains it, maybe beside others.
      kept: what the round keeps.
      behind: trainings of the subject before this one.
    """
    config, every = subject.config, subject.config.training.evaluate_every
    settings, steps, watch = config.pruning, subject.evaluations * every, _watch(subject)
    total = settings.trainings * steps

    def show(done: int, seen: Seen) -> None:
        if progress is not None:
            loss = np.mean(np.asarray(seen.curve.validation_loss)[:, done - 1])
            accuracy = np.mean(np.asarray(seen.curve.validation_accuracy)[:, done - 1])
            step = behind * steps + done * every
            layers = training.saturation_now(watch, own(seen.watched), done - 1)
            progress(Progress(index, control, step, total, float(loss), float(accuracy), layers))

    def own(watched: Watched) -> Watched:
        return watched if to is None else training.part_of(subject.model, watch, watched)

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
    to = subject.padding if plan.units is None else None
    if to is not None:
        wider, places = training.padded(to, params), training.padded(to, mask)
        request = request._replace(model=to.model, params=wider, mask=places)
    trained = train(request)
    reports = training.all_reports(watch, own(trained.state.watched))
    trained = trained._replace(state=trained.state._replace(watched=Watched({}, {})))
    if to is not None:
        trained = training.unpadded(to, trained)
    # Rows are made of it number by number: on a device, each would be a transfer of its own.
    curve, watched = jax.device_get((trained.state.curve, reports))
    return trained._replace(state=trained.state._replace(curve=curve, watched=watched))


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
    shapes = parameter_shapes(subject.model)
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


def _watch(subject: Subject) -> Watch:
    settings, examples = subject.config.saturation, len(subject.dataset.validation.labels)
    return Watch(
        min(settings.examples, examples),
        settings.delta,
        settings.tau,
        settings.pooling,
        RANGES.get(subject.config.model.activation),
    )
