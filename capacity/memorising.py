"""A trial that memorises: random labels, more and more of them, and how many bits of them stay."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity import data, theory, training
from capacity.capacity_rows import CapacityRow, MemorisedRow
from capacity.config import Config
from capacity.data import Dataset
from capacity.data.streams import stream
from capacity.models import Model, build, layer_outputs, layer_parameters
from capacity.subject import Progress, TrialError, architecture
from capacity.training import Examples, Memory

CONTROL = "memorising"
_DRAWN = ("gaussian", "teacher")  # sets of any size
_PROBE = 256  # examples that show what such a set is like
_ACTIVATION_BYTES = 1 << 30  # of all members that run side by side


class Task(NamedTuple):
    """A network, how many examples its training sets have, and a set of its kind."""

    model: Model
    sizes: list[int]
    example: Dataset


class Memorised(NamedTuple):
    """A row for every network, and the architecture's."""

    rows: list[MemorisedRow]
    capacity: CapacityRow


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


def run(
    config: Config, trial: str, progress: Callable[[Progress], None] | None = None
) -> Memorised:
    """The memorised bits of every size and seed, and the capacity of the architecture of `config`.

    A seed has inputs, labels and initial weights of its own; its training sets are one within the
    other. Raises what `check` raises.
    """
    task = check(config)
    sets = _sets(config, task)
    behind, total = 0, sum(budgets(config))
    rows, bits = [], []
    for steps in budgets(config):

        def show(done: int, state: Memory, behind: int = behind) -> None:
            if progress is not None:
                means = float(jnp.mean(state.loss)), float(jnp.mean(state.accuracy))
                progress(Progress(0, CONTROL, behind + done, total, *means))

        found = _rows(config, trial, task, _memory(config, task, sets, steps, show), steps)
        table = [row.memorised_bits for row in found]
        bits.append(np.array(table).reshape(config.seeds, len(task.sizes)).T)
        rows += found
        behind += steps
    return Memorised(rows, _capacity_row(config, trial, task, budgets(config)[0], bits))


def budgets(config: Config) -> list[int]:
    """Steps of each training: those of the configuration, then twice as many if that is asked."""
    steps = config.training.steps or 0
    return [steps, 2 * steps] if config.memorising.doubled else [steps]


def _memory(
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


def _rows(config: Config, trial: str, task: Task, memory: Memory, steps: int) -> list[MemorisedRow]:
    classes = task.example.class_count
    sizes = np.tile(task.sizes, config.seeds)
    loss = np.asarray(memory.loss, np.float64)
    bits = theory.memorised_bits(sizes, classes, loss)
    return [
        MemorisedRow(
            trial=trial,
            seed=i // len(task.sizes),
            steps=steps,
            train_size=int(size),
            label_bits=float(size) * math.log2(classes),
            train_loss=float(loss[i]),
            train_accuracy=float(memory.accuracy[i]),
            memorised_bits=float(bits[i]),
        )
        for i, size in enumerate(sizes)
    ]


def _capacity_row(
    config: Config, trial: str, task: Task, steps: int, bits: list[np.ndarray]
) -> CapacityRow:
    """The architecture's row from memorised bits [sizes, seeds] for each number of steps."""
    by_layer, outputs = layer_parameters(task.model), layer_outputs(task.model)
    parameters, passed = list(by_layer.values()), list(outputs.values())
    total, inputs = sum(parameters), math.prod(task.model.input_shape)
    effective = theory.effective_parameters(parameters, task.example.class_count)
    stored = theory.parameter_bits(total)
    orders = theory.vc_order(total, len(parameters))
    relu = config.model.family == "mlp" and config.model.activation == "relu"
    draw = stream(config.data.seed, "capacity, bootstrap")
    found, *again = (theory.capacity_estimate(each, draw) for each in bits)

    def memory(reading: str) -> int:
        return theory.memory_equivalent_capacity(parameters, passed, reading=reading, inputs=inputs)

    return CapacityRow(
        trial=trial,
        dataset=config.data.name,
        family=config.model.family,
        width=config.model.width,
        depth=len(parameters) - 1,
        class_count=task.example.class_count,
        input_values=inputs,
        parameters=total,
        effective_parameters=effective,
        float32_bits=stored["float32"],
        bfloat16_bits=stored["bfloat16"],
        int8_bits=stored["int8"],
        memory_capacity=memory("previous"),
        memory_capacity_running=memory("running"),
        memory_capacity_input=memory("input"),
        threshold_bits=theory.threshold_capacity(effective),
        vc_lower_order=orders.lower,
        vc_upper_order=orders.upper,
        vc_bound=theory.vc_bound(parameters, passed)
        if relu and not config.model.layer_norm
        else None,
        seeds=config.seeds,
        steps=steps,
        capacity=found.bits,
        capacity_low=found.low,
        capacity_high=found.high,
        bits_per_parameter=found.bits / total,
        bits_per_effective=found.bits / effective,
        knee_size=task.sizes[found.size],
        at_edge=found.at_edge,
        doubled_capacity=again[0].bits if again else None,
        converged=theory.converged(found.bits, again[0].bits) if again else None,
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


def _sets(config: Config, task: Task) -> Examples:
    """The largest training set of every seed, [seeds, n, ...]."""
    drawn = [_dataset(config, seed, task.sizes[-1]) for seed in range(config.seeds)]
    return Examples(
        jnp.asarray(np.stack([each.train.inputs for each in drawn])),
        jnp.asarray(np.stack([each.train.labels for each in drawn])),
        jnp.asarray(drawn[0].offset),
        jnp.asarray(drawn[0].scale),
    )


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
