"""The rows of a trial that memorises: every network's, and its architecture's."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from capacity import theory
from capacity.config import Config
from capacity.data.streams import stream
from capacity.memorising.task import Task, budgets, check, memory, training_sets
from capacity.models import layer_outputs, layer_parameters
from capacity.rows.capacities import CapacityRow, MemorisedRow
from capacity.subject import Progress
from capacity.training import Memory


class Memorised(NamedTuple):
    """A row for every network, and the architecture's."""

    rows: list[MemorisedRow]
    capacity: CapacityRow


def run(
    config: Config, trial: str, progress: Callable[[Progress], None] | None = None
) -> Memorised:
    """The memorised bits of every size and seed, and the capacity of the architecture of `config`.

    A seed has inputs, labels and initial weights of its own; its training sets are one within the
    other. A network whose loss became infinite or NaN at any step has no measures, although some
    weights before that step held something: how much is then luck. Its seed is left out of the
    capacity at every size, as a mean over other seeds at each size would have no one curve behind
    it. Raises what `check` raises.
    """
    task = check(config)
    sets = training_sets(config, task)
    behind, total = 0, sum(budgets(config))
    rows, bits = [], []
    for steps in budgets(config):

        def show(done: int, state: Memory, behind: int = behind) -> None:
            if progress is not None:
                means = float(jnp.mean(state.loss)), float(jnp.mean(state.accuracy))
                progress(Progress(0, "memorising", behind + done, total, *means))

        found = _rows(config, trial, task, memory(config, task, sets, steps, show), steps)
        table = [row.memorised_bits for row in found]
        held = np.array(table, float).reshape(config.seeds, len(task.sizes)).T
        bits.append(held[:, np.isfinite(held).all(axis=0)])
        rows += found
        behind += steps
    return Memorised(rows, _capacity_row(config, trial, task, budgets(config)[0], bits))


def _rows(config: Config, trial: str, task: Task, found: Memory, steps: int) -> list[MemorisedRow]:
    classes = task.dataset.class_count
    sizes = np.tile(task.sizes, config.seeds)
    loss = np.asarray(found.loss, np.float64)
    bits = theory.memorised_bits(sizes, classes, loss)
    lost = np.asarray(found.diverged)
    return [
        MemorisedRow(
            trial=trial,
            seed=i // len(task.sizes),
            steps=steps,
            train_size=int(size),
            label_bits=float(size) * math.log2(classes),
            diverged=bool(lost[i]),
            train_loss=None if lost[i] else float(loss[i]),
            train_accuracy=None if lost[i] else float(found.accuracy[i]),
            memorised_bits=None if lost[i] else float(bits[i]),
        )
        for i, size in enumerate(sizes)
    ]


def _capacity_row(
    config: Config, trial: str, task: Task, steps: int, bits: list[np.ndarray]
) -> CapacityRow:
    """The architecture's row from memorised bits [sizes, sound seeds] for each number of steps."""
    by_layer, outputs = layer_parameters(task.model), layer_outputs(task.model)
    parameters, passed = list(by_layer.values()), list(outputs.values())
    total, inputs = sum(parameters), math.prod(task.model.input_shape)
    classes = task.dataset.class_count
    effective = theory.effective_parameters(parameters, classes)
    rules = theory.rule_capacities(parameters, passed, inputs, effective)
    stored = theory.parameter_bits(total)
    orders = theory.vc_order(total, len(parameters))
    # The bound is that of one piecewise linear output, the difference of two logits.
    bounded = config.model.family == "mlp" and config.model.activation == "relu"
    bounded &= not config.model.layer_norm and classes == 2
    draw = stream(config.data.seed, "capacity, bootstrap")
    found, *again = (theory.capacity_estimate(b, draw) if b.size else None for b in bits)
    doubled = again[0] if again else None
    return CapacityRow(
        trial=trial,
        dataset=config.data.name,
        inputs=config.memorising.inputs,
        family=config.model.family,
        width=config.model.first_width,
        depth=len(parameters) - 1,
        class_count=classes,
        input_values=inputs,
        parameters=total,
        effective_parameters=effective,
        float32_bits=rules.float32,
        bfloat16_bits=stored["bfloat16"],
        int8_bits=stored["int8"],
        memory_capacity=rules.previous,
        memory_capacity_running=rules.running,
        memory_capacity_input=rules.input,
        threshold_bits=rules.threshold,
        vc_lower_order=orders.lower,
        vc_upper_order=orders.upper,
        vc_bound=theory.vc_bound(parameters, passed) if bounded else None,
        seeds=config.seeds,
        diverged=config.seeds - bits[0].shape[1],
        steps=steps,
        capacity=found.bits if found else None,
        capacity_low=found.low if found else None,
        capacity_high=found.high if found else None,
        bits_per_parameter=found.bits / total if found else None,
        bits_per_effective=found.bits / effective if found else None,
        knee_size=task.sizes[found.size] if found else None,
        at_edge=found.at_edge if found else None,
        doubled_capacity=doubled.bits if doubled else None,
        converged=theory.converged(found.bits, doubled.bits) if found and doubled else None,
    )
