"""What a trial memorises: a network, sets of random labels, and how it is trained on them."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from capacity import data, training, updates
from capacity.config import Config
from capacity.data import Dataset
from capacity.data.streams import stream
from capacity.models import Model, build, layer_outputs, layer_parameters, parameter_shapes
from capacity.subject import TrialError, architecture
from capacity.training import Examples, Memory

_ACTIVATION_BYTES = 1 << 30  # of all members that run side by side
_SHOWN = 500  # steps between two looks


class Task(NamedTuple):
    """A network, how many examples its training sets have, and the data that it is for."""

    model: Model
    sizes: list[int]
    dataset: Dataset


def check(config: Config) -> Task:
    """The task of `config`: its network, for inputs of the shape and the classes of its data.

    Raises:
      DataError, ModelError, TrialError: data and network do not fit, or inputs are too few.
    """
    dataset = data.load(**dict(config.data))
    model = build(architecture(config, dataset))
    weights = sum(layer_parameters(model).values())
    bits = math.log2(dataset.class_count)
    sizes = sorted({math.ceil(load * weights / bits) for load in config.memorising.loads})
    there = len(dataset.train.labels)
    if config.memorising.inputs == "data" and sizes[-1] > there:
        raise TrialError(
            f"memorising.loads: {sizes[-1]} examples are wanted, {config.data.name} has only "
            f"{there}: take smaller loads, a smaller network or memorising.inputs = gaussian"
        )
    return Task(model, sizes, dataset)


def budgets(config: Config) -> list[int]:
    """Steps of each training: those of the configuration, then twice as many if that is asked."""
    steps = config.memorising.steps
    return [steps, 2 * steps] if config.memorising.doubled else [steps]


def training_sets(config: Config, task: Task) -> Examples:
    """The largest training set of every seed, [seeds, n, ...]: its inputs, and uniform labels.

    Labels are drawn whatever those of the data are, so that nothing but memory can hold them.
    Gaussian inputs are N(0, I), since real ones are fewer than the labels that a network holds; in
    general position, they are the ones that Cover's 2 bits per weight are of.
    """
    size, (inputs, _), seeds = task.sizes[-1], task.dataset.train, range(config.seeds)

    def draw(what: str, seed: int) -> np.random.Generator:
        return stream(config.data.seed, f"memorising, {what} of seed {seed}")

    classes = task.dataset.class_count
    labels = np.stack([draw("labels", seed).integers(0, classes, size) for seed in seeds])
    if config.memorising.inputs == "data":
        chosen = [draw("inputs", seed).permutation(len(inputs))[:size] for seed in seeds]
        drawn = np.stack([inputs[index] for index in chosen])
        scaling = task.dataset.offset, task.dataset.scale
    else:
        shape = (size, *task.model.input_shape)
        drawn = np.stack([draw("inputs", s).standard_normal(shape, np.float32) for s in seeds])
        scaling = np.float32(0), np.float32(1)
    offset, scale = map(jnp.asarray, scaling)
    return Examples(jnp.asarray(drawn), jnp.asarray(labels, jnp.int32), offset, scale)


def memory(
    config: Config, task: Task, sets: Examples, steps: int, show: Callable[[int, Memory], None]
) -> Memory:
    """Every seed at every size, trained: the sizes of seed 0 first."""
    seeds = np.repeat(np.arange(config.seeds), len(task.sizes))
    return training.memorise(
        task.model,
        updates.rule(config.memorising, 1),
        updates.rates(config.memorising, steps),
        sets,
        jnp.asarray(seeds, jnp.int32),
        jnp.asarray(task.sizes * config.seeds, jnp.int32),
        training.initial(task.model, training.member_keys(seeds.tolist(), "initial")),
        steps,
        chunk=_chunk(config, task),
        stride=_SHOWN,
        progress=show,
    )


def _chunk(config: Config, task: Task) -> int:
    """Members side by side: as for training, but no more than their activations leave room for."""
    members = config.seeds * len(task.sizes)
    shapes = parameter_shapes(task.model)
    values = task.sizes[-1] * sum(layer_outputs(task.model).values())
    room = max(1, _ACTIVATION_BYTES // (4 * values))
    most = min(room, training.chunk_size(members, shapes))
    return max(c for c in range(1, most + 1) if members % c == 0)
