"""What a trial studies: its data on the device, its network, and how that network is trained."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import jax
import jax.numpy as jnp
import numpy as np

from capacity import data, sparsity, training
from capacity.config import Config
from capacity.data import Dataset, Split
from capacity.information import DatasetCard
from capacity.models import (
    Architecture,
    Model,
    ModelError,
    build,
    layer_outputs,
    layer_parameters,
    parameter_shapes,
)
from capacity.pruning import PruningError
from capacity.sparsity import smaller
from capacity.theory import memory_equivalent_capacity
from capacity.training import Examples, Padding

LEAST_CALIBRATION = 10  # examples, of which one in five is held apart


class TrialError(ValueError):
    """A configuration that its data cannot serve, in one sentence."""


class Progress(NamedTuple):
    """Where a trial is: for the eyes only; loss and accuracy are means over the seeds.

    `step` of `steps` counts the optimiser steps of one network over all of its trainings, or those
    of the part that `control` names: "memorising", or "prequential" where nothing is validated.
    `saturation` is that of the layers by name, before their non-linearity, where it is watched.
    """

    round: int
    control: str
    step: int
    steps: int
    validation_loss: float | None
    validation_accuracy: float | None
    saturation: Mapping[str, float] | None = None


class Subject(NamedTuple):
    """A trial's fixed parts: its data on the device, its network, and what is known of both.

    `start` are weights [seeds, ...] that it starts from in place of drawn ones, `padding` is that
    of its training, if any; `chunk` is of what is trained.
    """

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
    start: Mapping[str, Any] | None = None
    padding: Padding | None = None


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
    if config.pruning.rewind_step >= total:
        raise TrialError(
            f"pruning.rewind_step = {config.pruning.rewind_step}: training ends at step {total}"
        )
    wide = architecture(config, dataset)
    model = build(wide)
    try:
        sparsity.check(config.pruning, wide, model, total)
    except (PruningError, ModelError) as error:
        raise TrialError(f"pruning: {error}") from None
    padding(config, dataset, model)
    return dataset, model


def padding(config: Config, dataset: Dataset, model: Model) -> Padding | None:
    """The wider network as a part of which `model` trains; None where it trains by itself.

    Raises:
      TrialError: it can be a part of none.
    """
    width = config.training.pad
    if not isinstance(width, float | int):
        return None
    wide = architecture(config, dataset)._replace(width=float(width))
    found = training.padding(model, build(wide))
    if found is None:
        raise TrialError(
            f"training.pad = {width:g}: networks of {config.model.family} with these settings "
            "cannot be padded, as units are normalised together or shortcuts tie them"
        )
    return found


def prepare(config: Config, trial: str) -> Subject:
    """The subject of `config`; raises what `check` raises."""
    dataset, model = check(config)
    return Subject(
        trial=trial,
        config=config,
        dataset=dataset,
        train=on_device(dataset, dataset.train),
        validation=on_device(dataset, dataset.validation),
        test=on_device(dataset, dataset.test),
        noisy_test=on_device(dataset, dataset.noisy_test),
        evaluations=evaluations(config, len(dataset.train.labels)),
        card=data.card(dataset),
        **_of_network(config, dataset, model),
    )


def narrowed(subject: Subject, kept: int) -> Subject:
    """The same with the widest narrower network that has no more weights than are kept.

    Args:
      kept: of the weights that can be pruned; all others count too.
    """
    config = subject.config
    wide = architecture(config, subject.dataset)
    width, model = smaller(wide, subject.model, kept)
    settings = config.model.model_copy(update={"width": width})
    config = config.model_copy(update={"model": settings})
    return subject._replace(
        config=config, start=None, **_of_network(config, subject.dataset, model)
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


def _of_network(config: Config, dataset: Dataset, model: Model) -> dict[str, Any]:
    """The fields of a subject that depend on its architecture."""
    parameters, outputs = layer_parameters(model), layer_outputs(model)
    padded = padding(config, dataset, model)
    trained = model if padded is None else padded.model
    shapes = parameter_shapes(trained)
    chunk = config.training.chunk
    return {
        "model": model,
        "padding": padded,
        "chunk": training.chunk_size(config.seeds, shapes) if chunk == "auto" else chunk,
        "memory_capacity": memory_equivalent_capacity(
            list(parameters.values()), list(outputs.values())
        ),
        "depth": len(parameters) - 1,
    }


def on_device(dataset: Dataset, split: Split) -> Examples:
    """A split of a data set, as training and evaluation take it."""
    return Examples(
        _shared(split.inputs),
        jnp.asarray(split.labels),
        jnp.asarray(dataset.offset),
        jnp.asarray(dataset.scale),
    )


_INPUTS: WeakValueDictionary[str, jax.Array] = WeakValueDictionary()
"""What is on the device already, by its content."""


def _shared(inputs: np.ndarray) -> jax.Array:
    """The inputs on the device, once for all trials that hold them."""
    name = data.content(inputs)
    known = _INPUTS.get(name)
    if known is None or known.is_deleted():
        known = _INPUTS[name] = jnp.asarray(inputs)
    return known
