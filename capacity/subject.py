"""What a trial studies: its data on the device, its network, and how that network is trained."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity import data, lottery, training, updates
from capacity.config import Config
from capacity.data import Dataset, Split
from capacity.information import DatasetCard
from capacity.lottery import Lottery, Round
from capacity.models import (
    Architecture,
    Model,
    Params,
    build,
    layer_outputs,
    layer_parameters,
)
from capacity.saturation import RANGES
from capacity.theory import memory_equivalent_capacity
from capacity.training import Examples, State, Watch

LEAST_CALIBRATION = 10  # examples, of which one in five is held apart


class TrialError(ValueError):
    """A configuration that its data cannot serve, in one sentence."""


class Progress(NamedTuple):
    """Where a trial is: for the eyes only; loss and accuracy are means over the seeds.

    `step` of `steps` counts the optimiser steps of one network over all of its trainings, or those
    of the part that `control` names: "memorising", or "prequential" where nothing is validated.
    """

    round: int
    control: str
    step: int
    steps: int
    validation_loss: float | None
    validation_accuracy: float | None


class Subject(NamedTuple):
    """A trial's fixed parts: its data on the device, its network, and what is known of both."""

    trial: str
    config: Config
    dataset: Dataset
    model: Model
    train: Examples
    validation: Examples
    test: Examples
    noisy_test: Examples
    evaluations: int
    chunk: int
    card: DatasetCard
    memory_capacity: int
    depth: int


def check(config: Config) -> tuple[Dataset, Model]:
    """The data set and the network of `config`, if they and the training fit one another.

    Raises:
      DataError, ModelError, TrialError: they do not.
    """
    dataset = data.load(**dict(config.data))
    size, batch = len(dataset.train.labels), config.training.batch_size
    if batch > size:
        raise TrialError(f"training.batch_size = {batch}: there are only {size} training examples")
    if len(np.unique(dataset.train.labels)) < 2:
        raise TrialError(f"data.train_size = {size}: these training examples are all of one class")
    for name, shift in (("coding", config.coding.shift), ("prequential", config.prequential.shift)):
        if shift and dataset.train.inputs.ndim != 4:
            raise TrialError(f"{name}.shift = {shift}: these inputs are no images")
    if "obs" in config.coding.codecs and min(size, config.coding.calibration) < LEAST_CALIBRATION:
        raise TrialError(f"coding.codecs: obs needs at least {LEAST_CALIBRATION} training examples")
    total = evaluations(config, size) * config.training.evaluate_every
    if total * batch >= 2**31:
        raise TrialError(f"training: {total} steps of {batch} are more than 2^31 examples")
    if config.prequential.epochs * size >= 2**31:
        raise TrialError(f"prequential.epochs = {config.prequential.epochs}: more than 2^31 labels")
    if config.lottery.rewind_step >= total:
        raise TrialError(
            f"lottery.rewind_step = {config.lottery.rewind_step}: training ends at step {total}"
        )
    return dataset, build(architecture(config, dataset))


def prepare(config: Config, trial: str) -> Subject:
    """The subject of `config`; raises what `check` raises."""
    dataset, model = check(config)
    parameters, outputs = layer_parameters(model), layer_outputs(model)
    shapes = jax.eval_shape(model.init, jax.random.key(0))
    chunk = config.training.chunk
    return Subject(
        trial=trial,
        config=config,
        dataset=dataset,
        model=model,
        train=on_device(dataset, dataset.train),
        validation=on_device(dataset, dataset.validation),
        test=on_device(dataset, dataset.test),
        noisy_test=on_device(dataset, dataset.noisy_test),
        evaluations=evaluations(config, len(dataset.train.labels)),
        chunk=training.chunk_size(config.seeds, shapes) if chunk == "auto" else chunk,
        card=data.card(dataset),
        memory_capacity=memory_equivalent_capacity(
            list(parameters.values()), list(outputs.values())
        ),
        depth=len(parameters) - 1,
    )


def architecture(config: Config, dataset: Dataset) -> Architecture:
    """What `models.build` needs to know."""
    shape = tuple(dataset.train.inputs.shape[1:])
    return Architecture(**dict(config.model), input_shape=shape, class_count=dataset.class_count)


def evaluations(config: Config, train_size: int) -> int:
    """Evaluations in all; `training.evaluate_every` steps lie between two of them."""
    settings = config.training
    steps = settings.steps
    if steps is None:
        steps = math.ceil(settings.epochs * train_size / settings.batch_size)
    return math.ceil(steps / settings.evaluate_every)


def rounds(subject: Subject, progress: Callable[[Progress], None] | None) -> Iterator[Round]:
    config, model = subject.config, subject.model
    every, seeds = config.training.evaluate_every, range(config.seeds)
    rule = updates.rule(config.training, config.training.batch_size)
    rates = updates.rates(config.training, subject.evaluations * every)
    plan = training.Plan(rates, jnp.int32(len(subject.dataset.train.labels)), jnp.int32(every))
    settings = Lottery(
        rounds=config.lottery.rounds,
        rate=config.lottery.rate,
        output_rate=config.lottery.output_rate,
        scope=config.lottery.scope,
        reinitialised=config.lottery.reinitialised,
        rewind=config.lottery.rewind,
    )

    total = config.lottery.trainings * subject.evaluations * every
    behind = itertools.count()

    def fit(params: Params, mask: training.Mask, index: int, control: str) -> training.Snapshot:
        before = next(behind) * subject.evaluations

        def show(done: int, state: State) -> None:
            if progress is not None:
                loss = np.mean(np.asarray(state.curve.validation_loss)[:, done - 1])
                accuracy = np.mean(np.asarray(state.curve.validation_accuracy)[:, done - 1])
                step = (before + done) * every
                progress(Progress(index, control, step, total, float(loss), float(accuracy)))

        return training.train(
            model,
            rule,
            plan,
            subject.train,
            subject.validation,
            params,
            mask,
            training.member_keys(seeds, f"order/{control}", index),
            subject.evaluations,
            chunk=subject.chunk,
            snapshot=config.lottery.rewind_step // every,
            progress=show,
            watch=_watch(subject),
        )

    def fresh(index: int) -> Params:
        return training.initial(model, training.member_keys(seeds, "reinitialised", index))

    initial = training.initial(model, training.member_keys(seeds, "initial"))
    return lottery.play(settings, initial, fresh, fit)


def _watch(subject: Subject) -> Watch:
    settings, examples = subject.config.saturation, len(subject.dataset.validation.labels)
    return Watch(
        min(settings.examples, examples),
        settings.delta,
        settings.tau,
        settings.pooling,
        RANGES.get(subject.config.model.activation),
    )


def on_device(dataset: Dataset, split: Split) -> Examples:
    """A split of a data set, as training and evaluation take it."""
    return Examples(
        jnp.asarray(split.inputs),
        jnp.asarray(split.labels),
        jnp.asarray(dataset.offset),
        jnp.asarray(dataset.scale),
    )
