"""What a sweep will cost, before it runs: trials, compilations, operations and hours."""

import time
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp

from capacity import memorising
from capacity.config import Config
from capacity.models import Model, Params
from capacity.subject import architecture, check, evaluations

# Matrix products of a training step reach about half of what large ones reach on the same core.
EFFICIENCY = 0.5


class Cost(NamedTuple):
    """Of a whole sweep; seconds are of one core or device and assume nothing else runs on it."""

    trials: int
    networks: int
    compilations: int
    operations: float
    seconds: float


class Estimate(NamedTuple):
    """Of one trial; `program` is equal for trials that share their compiled program."""

    program: tuple
    parameters: int
    steps: int
    networks: int
    operations: float


def estimate(config: Config) -> Estimate:
    """Training cost of one trial: operations of the compiled step times steps, rounds and seeds.

    Raises: what `subject.check` or, for a trial that memorises, `memorising.check` raises.
    """
    if config.memorising.loads:
        return _memorising(config)
    dataset, model = check(config)
    params = jax.eval_shape(model.init, jax.random.key(0))
    batch = config.training.batch_size
    size, validation = len(dataset.train.labels), len(dataset.validation.labels)
    trainings = config.lottery.trainings * config.seeds
    count = evaluations(config, size)
    steps = count * config.training.evaluate_every
    forward, backward = _forward_and_backward(model, params, batch)
    examples = count * validation / batch
    settings = config.training
    program = (
        architecture(config, dataset),
        dataset.train.inputs.shape,
        dataset.validation.inputs.shape,
        (
            batch,
            count,
            settings.optimizer,
            settings.momentum,
            settings.schedule,
            settings.clip_norm,
        ),
        (config.seeds, settings.chunk),
    )
    parameters = sum(leaf.size for leaf in params.values())
    operations = trainings * (steps * backward + examples * forward)
    return Estimate(program, parameters, steps, trainings, operations)


def total(estimates: Mapping[str, Estimate]) -> Cost:
    """The whole sweep, with the speed of this machine's matrix products taken in a moment."""
    operations = sum(each.operations for each in estimates.values())
    return Cost(
        trials=len(estimates),
        networks=sum(each.networks for each in estimates.values()),
        compilations=len({each.program for each in estimates.values()}),
        operations=operations,
        seconds=operations / (EFFICIENCY * matrix_product_rate()),
    )


def matrix_product_rate(side: int = 768) -> float:
    """Operations per second of a square float32 matrix product on this device: best of five."""
    a = jnp.ones((side, side))
    product = jax.jit(jnp.matmul)
    product(a, a).block_until_ready()
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        product(a, a).block_until_ready()
        best = min(best, time.perf_counter() - began)
    return 2 * side**3 / best


def _memorising(config: Config) -> Estimate:
    """Every size of training set costs what the largest one does, to which all are padded."""
    model, sizes, dataset = memorising.check(config)
    params = jax.eval_shape(model.init, jax.random.key(0))
    _, backward = _forward_and_backward(model, params, sizes[-1])
    budgets = memorising.budgets(config)
    settings = config.training
    program = (
        architecture(config, dataset),
        sizes[-1],
        (settings.optimizer, settings.momentum, settings.schedule, settings.clip_norm),
        (config.seeds * len(sizes), settings.chunk),
    )
    members, steps = config.seeds * len(sizes), sum(budgets)
    parameters = sum(leaf.size for leaf in params.values())
    operations = members * steps * backward
    return Estimate(program, parameters, steps, members * len(budgets), operations)


def _forward_and_backward(model: Model, params: Params, batch: int) -> tuple[float, float]:
    """Operations of the outputs of a batch, and of their gradient."""
    x = jax.ShapeDtypeStruct((batch, *model.input_shape), jnp.float32)

    def loss(params: Params, x: jax.Array) -> jax.Array:
        return jnp.sum(model.apply(params, x)[0])

    return _operations(loss, params, x), _operations(jax.grad(loss), params, x)


def _operations(function, *arguments) -> float:
    analysis = jax.jit(function).lower(*arguments).cost_analysis()
    return float((analysis or {}).get("flops", 0.0))
