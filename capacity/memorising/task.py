"""What a trial memorises: a network, sets of random labels, and how it is trained on them."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity import data, training
from capacity.config import Config
from capacity.data import Dataset
from capacity.models import Model, build, layer_outputs, layer_parameters
from capacity.subject import TrialError, architecture
from capacity.training import Examples, Memory

_DRAWN = ("gaussian", "teacher")  # sets of any size
_PROBE = 256  # examples that show what such a set is like
_ACTIVATION_BYTES = 1 << 30  # of all members that run side by side


class Task(NamedTuple):
    """A network, how many examples its training sets have, and a set of its kind."""

    model: Model
    sizes: list[int]
    example: Dataset


def check(config: Config) -> Task:
    """The task of `config`, if its data have random labels and enough examples.

    Raises:
      DataError, ModelError, TrialError: they have not, or do not fit the network.
    """
    example = _dataset(config, 0, None)
    uniform = math.log2(example.class_count)
    if example.conditional_entropy is None or example.conditional_entropy < uniform - 1e-9:
        raise TrialError(
            f"memorising.loads: the labels of {config.data.name} are not random; take "
            "data.name = gaussian, or data.label_noise = 1 and data.label_noise_kind = resampled"
        )
    model = build(architecture(config, example))
    weights = sum(layer_parameters(model).values())
    sizes = sorted({math.ceil(load * weights / uniform) for load in config.memorising.loads})
    if config.data.name not in _DRAWN and sizes[-1] > len(example.train.labels):
        raise TrialError(
            f"memorising.loads: {sizes[-1]} examples are wanted, {config.data.name} has only "
            f"{len(example.train.labels)}: take smaller loads or a smaller network"
        )
    return Task(model, sizes, example)


def budgets(config: Config) -> list[int]:
    """Steps of each training: those of the configuration, then twice as many if that is asked."""
    steps = config.training.steps or 0
    return [steps, 2 * steps] if config.memorising.doubled else [steps]


def training_sets(config: Config, task: Task) -> Examples:
    """The largest training set of every seed, [seeds, n, ...]."""
    drawn = [_dataset(config, seed, task.sizes[-1]) for seed in range(config.seeds)]
    return Examples(
        jnp.asarray(np.stack([each.train.inputs for each in drawn])),
        jnp.asarray(np.stack([each.train.labels for each in drawn])),
        jnp.asarray(drawn[0].offset),
        jnp.asarray(drawn[0].scale),
    )


def memory(
    config: Config, task: Task, sets: Examples, steps: int, show: Callable[[int, Memory], None]
) -> Memory:
    """Every seed at every size, trained: the sizes of seed 0 first."""
    seeds = np.repeat(np.arange(config.seeds), len(task.sizes))
    settings = config.training
    rates = training.Rates(
        learning_rate=jnp.float32(settings.learning_rate),
        weight_decay=jnp.float32(settings.weight_decay),
        warmup_steps=jnp.int32(settings.warmup_steps),
        steps=jnp.int32(steps),
    )
    rule = training.Rule(
        optimizer=settings.optimizer,
        momentum=0.9 if settings.momentum is None else settings.momentum,
        schedule=settings.schedule,
        clip_norm=settings.clip_norm,
        penalised=settings.optimizer == "adam" and settings.weight_decay > 0,
    )
    return training.memorise(
        task.model,
        rule,
        rates,
        sets,
        jnp.asarray(seeds, jnp.int32),
        jnp.asarray(task.sizes * config.seeds, jnp.int32),
        training.initial(task.model, training.member_keys(seeds.tolist(), "initial")),
        steps,
        chunk=_chunk(config, task),
        stride=settings.evaluate_every,
        progress=show,
    )


def _dataset(config: Config, seed: int, size: int | None) -> Dataset:
    """Data of `seed` with `size` training examples, or with as few or many as there are."""
    options = dict(config.data) | {
        "seed": config.data.seed + seed,
        "train_size": size,
        "validation_size": 1.0,  # nothing is validated, and the least there can be is one
    }
    if config.data.name in _DRAWN:
        options["size"] = (size or _PROBE) + 1
    return data.load(**options)


def _chunk(config: Config, task: Task) -> int:
    """Members side by side: as for training, but no more than their activations leave room for."""
    members = config.seeds * len(task.sizes)
    shapes = jax.eval_shape(task.model.init, jax.random.key(0))
    chunk = config.training.chunk
    if chunk != "auto":
        return chunk
    values = task.sizes[-1] * sum(layer_outputs(task.model).values())
    room = max(1, _ACTIVATION_BYTES // (4 * values))
    most = min(room, training.chunk_size(members, shapes))
    return max(c for c in range(1, most + 1) if members % c == 0)
