"""What a sweep will cost, before it runs: trials, compilations, operations and hours."""

import time
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp

from capacity import memorising, training, updates
from capacity.config import Config
from capacity.data import Dataset
from capacity.information import geometric_cuts
from capacity.models import Model, Params, parameter_shapes
from capacity.subject import architecture, check, evaluations, padding

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
    """Of one trial; `programs` are equal for trials that share what they compile.

    `steps` are those of one training of a network; of a capacity alone, with the doubled ones.
    """

    programs: frozenset[tuple]
    parameters: int
    steps: int
    networks: int
    operations: float


def estimate(config: Config) -> Estimate:
    """Cost of one trial: operations of each compiled step times steps, rounds, sizes and seeds.

    Raises: what `subject.check` and `memorising.check` raise.
    """
    parts = []
    if config.training.on:
        dataset, model = check(config)
        parts.append(_training(config, dataset, model))
        if config.prequential.on:
            parts.append(_prequential(config, dataset, model))
    if config.memorising.on:
        parts.append(_memorising(config))
    return Estimate(
        programs=frozenset().union(*(each.programs for each in parts)),
        parameters=parts[0].parameters,
        steps=parts[0].steps,
        networks=sum(each.networks for each in parts),
        operations=sum(each.operations for each in parts),
    )


def total(estimates: Mapping[str, Estimate]) -> Cost:
    """The whole sweep, with the speed of this machine's matrix products taken in a moment."""
    operations = sum(each.operations for each in estimates.values())
    return Cost(
        trials=len(estimates),
        networks=sum(each.networks for each in estimates.values()),
        compilations=len(frozenset().union(*(each.programs for each in estimates.values()))),
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


def _training(config: Config, dataset: Dataset, model: Model) -> Estimate:
    settings, batch = config.training, config.training.batch_size
    size, validation = len(dataset.train.labels), len(dataset.validation.labels)
    padded = padding(config, dataset, model)
    trained = model if padded is None else padded.model
    count = evaluations(config, size)
    steps = count * settings.evaluate_every
    forward, backward = _forward_and_backward(trained, batch)
    program = (
        trained,  # equal architectures are one model
        dataset.train.inputs.shape,
        dataset.validation.inputs.shape,
        updates.rule(settings, batch),
        count,
        (config.seeds, settings.chunk),
    )
    trainings = config.pruning.trainings * config.seeds
    operations = trainings * (steps * backward + count * validation / batch * forward)
    return Estimate(frozenset([program]), _parameters(model), steps, trainings, operations)


def _prequential(config: Config, dataset: Dataset, model: Model) -> Estimate:
    """The code of every seed; asking about each label once is one more forward pass."""
    settings, size = config.prequential, len(dataset.train.labels)
    batch = settings.batch_size or config.training.batch_size
    forward, backward = _forward_and_backward(model, batch)
    cuts = geometric_cuts(size, settings.first, settings.ratio)
    steps = sum(training.stage_steps(cuts, training.Budget(settings.epochs, settings.power), batch))
    rule = updates.rule(config.training, batch, "constant")
    program = (*_shapes(config, dataset), rule, settings.shift, config.seeds, "prequential")
    operations = config.seeds * (steps * backward + size / batch * forward)
    return Estimate(frozenset([program]), _parameters(model), steps, config.seeds, operations)


def _memorising(config: Config) -> Estimate:
    """Every size of training set costs what the largest one does, to which all are padded."""
    model, sizes, dataset = memorising.check(config)
    _, backward = _forward_and_backward(model, sizes[-1])
    budgets, members = memorising.budgets(config), config.seeds * len(sizes)
    rule = updates.rule(config.memorising, 1)
    program = (architecture(config, dataset), sizes[-1], rule, members, config.memorising.inputs)
    steps, networks = sum(budgets), members * len(budgets)
    operations = members * steps * backward
    return Estimate(frozenset([program]), _parameters(model), steps, networks, operations)


def _shapes(config: Config, dataset: Dataset) -> tuple:
    return architecture(config, dataset), dataset.train.inputs.shape


def _parameters(model: Model) -> int:
    return sum(leaf.size for leaf in parameter_shapes(model).values())


def _forward_and_backward(model: Model, batch: int) -> tuple[float, float]:
    """Operations of the outputs of a batch, and of their gradient."""
    params = parameter_shapes(model)
    x = jax.ShapeDtypeStruct((batch, *model.input_shape), jnp.float32)

    def loss(params: Params, x: jax.Array) -> jax.Array:
        return jnp.sum(model.apply(params, x)[0])

    return _operations(loss, params, x), _operations(jax.grad(loss), params, x)


def _operations(function, *arguments) -> float:
    analysis = jax.jit(function).lower(*arguments).cost_analysis()
    return float((analysis or {}).get("flops", 0.0))
