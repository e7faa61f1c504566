"""Ours: the program that a sweep runs, through the public functions of `capacity.training`.

Answers one line of JSON with another; see contender.py.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.sched_setaffinity(0, [int(sys.argv[1])])

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from capacity import training  # noqa: E402
from capacity.models import Architecture, Model, Params, build, is_kernel  # noqa: E402
from capacity.training import Examples  # noqa: E402


def main() -> None:
    loaded = {}
    for line in sys.stdin:
        job = json.loads(line)
        if job["loop"] == "product":
            answer = product(job["side"], job["repeats"])
        else:
            if job["file"] not in loaded:
                loaded[job["file"]] = load(job["file"])
            answer = {"train": trained, "chunk": chosen_chunk}[job["loop"]](
                job, *loaded[job["file"]]
            )
        print(json.dumps(answer), flush=True)


def load(file: str) -> tuple[Examples, Examples]:
    """Training and validation split, as they are stored."""
    arrays = np.load(file)
    offset, scale = jnp.float32(0), jnp.asarray(arrays["scale"], jnp.float32)

    def split(inputs: str, labels: str) -> Examples:
        return Examples(jnp.asarray(arrays[inputs]), jnp.asarray(arrays[labels]), offset, scale)

    return split("inputs", "labels"), split("validation_inputs", "validation_labels")


def trained(job: dict[str, Any], train: Examples, validation: Examples) -> dict[str, float]:
    """A population from new weights through `job["steps"]` steps, by way of `training.train`.

    `mask` is "full" (every weight may be pruned, none is: what a sweep trains first), "sparse" (a
    fifth of the weights is left) or "none" (the program knows no mask). Without `evaluations`, a
    single one at the end is all there is, and sees one batch only.
    """
    model, members, chunk = network(job), job["members"], job["chunk"]
    keys = training.member_keys(range(members), "initial")
    params = training.initial(model, keys)
    evaluations = job.get("evaluations", 1)
    if evaluations == 1:
        validation = jax.tree.map(
            lambda leaf: leaf[: job["batch_size"]] if leaf.ndim else leaf, validation
        )
    rates = training.Rates(
        learning_rate=jnp.float32(job["learning_rate"]),
        weight_decay=jnp.float32(0),
        warmup_steps=jnp.int32(0),
        steps=jnp.int32(job["steps"]),
    )
    plan = training.Plan(
        rates, jnp.int32(train.labels.shape[0]), jnp.int32(job["steps"] // evaluations)
    )
    rule = training.Rule(batch_size=job["batch_size"])

    def run() -> training.Snapshot:
        order = training.member_keys(range(members), "order")
        return training.train(
            model, rule, plan, train, validation, params, mask, order, evaluations, chunk=chunk
        )

    mask = masks(params, job["mask"])
    snapshot, seconds, core_seconds = timed(run)
    few = Examples(train.inputs[:5000], train.labels[:5000], train.offset, train.scale)
    loss = training.evaluate(model, snapshot.state.params, few, chunk=1).loss
    return {
        "work": members * job["steps"],
        "seconds": seconds,
        "core_seconds": core_seconds,
        "loss": float(np.mean(loss)),
    }


def chosen_chunk(job: dict[str, Any], *splits: Examples) -> dict[str, int]:
    """What `training.chunk_size` picks for a population of `job["members"]`."""
    shapes = jax.eval_shape(network(job).init, jax.random.key(0))
    return {"chunk": training.chunk_size(job["members"], shapes)}


def product(side: int, repeats: int) -> dict[str, float]:
    """Square float32 matrix products, for the most that the core can do."""
    a = jnp.full((side, side), 1 / side)

    def run() -> jax.Array:
        b = a
        for _ in range(repeats):
            b = multiply(a, b)
        return b

    jax.block_until_ready(multiply(a, a))
    _, seconds, core_seconds = timed(run)
    operations = 2.0 * side**3 * repeats
    return {
        "work": operations,
        "seconds": seconds,
        "core_seconds": core_seconds,
        "loss": float("nan"),
    }


multiply = jax.jit(jnp.matmul)


def network(job: dict[str, Any]) -> Model:
    first, *others = job["hidden"]
    return build(
        Architecture(
            family="mlp",
            width=first,
            depth=len(job["hidden"]),
            taper=others[0] / first,
            activation="relu",
            layer_norm=False,
            initialisation="glorot",
            input_shape=tuple(job["image_shape"]),
            class_count=10,
        )
    )


def masks(params: Params, kind: str) -> training.Mask:
    if kind == "none":
        return {}
    numbers = np.random.default_rng(0)
    kept = {"full": 1.0, "sparse": 0.2}[kind]
    return {
        name: jnp.asarray(numbers.random(leaf.shape) < kept)
        for name, leaf in params.items()
        if is_kernel(name)
    }


def timed(run: Callable[[], Any]) -> tuple[Any, float, float]:
    """The result of `run`, and the seconds of clock and processor until it was there."""
    began, core_began = time.perf_counter(), time.process_time()
    result = jax.block_until_ready(run())
    return result, time.perf_counter() - began, time.process_time() - core_began


if __name__ == "__main__":
    main()
