"""The rows of a trial that memorises: every network's, and its architecture's."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from capacity import theory
from capacity.capacity_rows import CapacityRow, MemorisedRow
from capacity.config import Config
from capacity.data.streams import stream
from capacity.memorising.task import Task, budgets, check, memory, training_sets
from capacity.models import layer_outputs, layer_parameters
from capacity.subject import Progress
from capacity.training import Memory

CONTROL = "memorising"


class Memorised(NamedTuple):
    """A row for every network, and the architecture's."""

    rows: list[MemorisedRow]
    capacity: CapacityRow


def run(
    config: Config, trial: str, progress: Callable[[Progress], None] | None = None
) -> Memorised:
    """The memorised bits of every size and seed, and the capacity of the architecture of `config`.

    A seed has inputs, labels and initial weights of its own; its training sets are one within the
    other. Raises what `check` raises.
    """
    task = check(config)
    sets = training_sets(config, task)
    behind, total = 0, sum(budgets(config))
    rows, bits = [], []
    for steps in budgets(config):

        def show(done: int, state: Memory, behind: int = behind) -> None:
            if progress is not None:
                means = float(jnp.mean(state.loss)), float(jnp.mean(state.accuracy))
                progress(Progress(0, CONTROL, behind + done, total, *means))

        found = _rows(config, trial, task, memory(config, task, sets, steps, show), steps)
        table = [row.memorised_bits for row in found]
        bits.append(np.array(table).reshape(config.seeds, len(task.sizes)).T)
        rows += found
        behind += steps
    return Memorised(rows, _capacity_row(config, trial, task, budgets(config)[0], bits))


def _rows(config: Config, trial: str, task: Task, found: Memory, steps: int) -> list[MemorisedRow]:
    classes = task.example.class_count
    sizes = np.tile(task.sizes, config.seeds)
    loss = np.asarray(found.loss, np.float64)
    bits = theory.memorised_bits(sizes, classes, loss)
    return [
        MemorisedRow(
            trial=trial,
            seed=i // len(task.sizes),
            steps=steps,
            train_size=int(size),
            label_bits=float(size) * math.log2(classes),
            train_loss=float(loss[i]),
            train_accuracy=float(found.accuracy[i]),
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
    # The bound is that of one piecewise linear output, the difference of two logits.
    bounded = config.model.family == "mlp" and config.model.activation == "relu"
    bounded &= not config.model.layer_norm and task.example.class_count == 2
    draw = stream(config.data.seed, "capacity, bootstrap")
    found, *again = (theory.capacity_estimate(each, draw) for each in bits)

    def held(reading: str) -> int:
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
        memory_capacity=held("previous"),
        memory_capacity_running=held("running"),
        memory_capacity_input=held("input"),
        threshold_bits=theory.threshold_capacity(effective),
        vc_lower_order=orders.lower,
        vc_upper_order=orders.upper,
        vc_bound=theory.vc_bound(parameters, passed) if bounded else None,
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
