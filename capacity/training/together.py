"""Trainings that are the same program, as one population."""

import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Key

from capacity.models import Model, Params
from capacity.training.chunks import chunk_size
from capacity.training.examples import Examples
from capacity.training.network import Mask, Plan
from capacity.training.optimizer import Rule
from capacity.training.population import (
    UNWATCHED,
    Progress,
    Seen,
    Snapshot,
    train,
)
from capacity.training.watching import Watch


class Request(NamedTuple):
    """A training that is wanted: the arguments of `train`.

    Attributes:
      chunk: members that run side by side, and `wider`: or more, where a device takes more.
    """

    model: Model
    rule: Rule
    plan: Plan
    train: Examples
    validation: Examples
    params: Params
    mask: Mask
    keys: Key[Array, " members"]
    evaluations: int
    chunk: int
    snapshot: int = 0
    progress: Progress | None = None
    watch: Watch = UNWATCHED
    wider: bool = False


def groups(requests: Sequence[Request]) -> list[list[int]]:
    """Positions of requests that one population can serve: of one program, on the same inputs.

    A shorter training set has to be the beginning of a longer one.
    """
    found: list[tuple[Hashable, list[int]]] = []
    for position, request in enumerate(requests):
        own = _program(request)
        for kind, others in found:
            # Two beginnings of a third need not be alike: it is compared with the longest.
            longest = max(others, key=lambda other: len(requests[other].train.inputs))
            if own == kind and _same_inputs(requests[longest], request):
                others.append(position)
                break
        else:
            found.append((own, [position]))
    return [positions for _, positions in found]


def _same_inputs(a: Request, b: Request) -> bool:
    return _begins(a.train.inputs, b.train.inputs) and _begins(
        a.validation.inputs, b.validation.inputs
    )


def _begins(a: Array, b: Array) -> bool:
    least = min(len(a), len(b))
    return a is b or bool(jnp.array_equal(a[:least], b[:least]))


def _program(request: Request) -> Hashable:
    plan, moves = request.plan, request.plan.moves
    when = moves and tuple(int(v) for v in (moves.start, moves.every, moves.updates))
    masks = moves and jax.tree.structure(moves.kept)
    scale = tuple(np.asarray(v).tobytes() for v in request.train[2:])
    return (
        request.model,
        request.rule,
        request.watch,
        request.evaluations,
        int(plan.evaluate_every),
        (when, masks),
        plan.units and tuple(units.shape[-1] for units in plan.units),
        (request.snapshot, request.chunk, request.wider),
        (request.train.inputs.shape[1:], request.train.inputs.dtype, scale),
        request.validation.inputs.shape,
    )


def train_together(
    requests: Sequence[Request], memory: Callable[[], int | None] = lambda: None
) -> list[Any]:
    """What `train` returns for each of them, or the error of those that could not be trained.

    A population that does not fit the memory is divided in two, and so on; a request that does not
    fit alone is trained with fewer members side by side.

    Args:
      requests: of one group.
      memory: bytes that a program may take now, by its own account; None for as many as there are.
    """
    try:
        return _trained(requests, memory())
    except (MemoryError, jax.errors.JaxRuntimeError) as error:
        if not _too_large(error):
            raise
        # Without what led to it, which holds all that there was no room for.
        reason = error.with_traceback(None)
        reason.__cause__ = reason.__context__ = None
    if isinstance(reason, jax.errors.JaxRuntimeError):
        # Programs take memory of a GPU, too, and one that could not be launched never can.
        jax.clear_caches()
    half = len(requests) // 2
    if half:
        parts = (requests[:half], requests[half:])
        return [snapshot for part in parts for snapshot in train_together(part, memory)]
    (one,) = requests
    chunk = next((c for c in range(one.chunk - 1, 0, -1) if one.chunk % c == 0), None)
    if chunk is not None:
        return train_together([one._replace(chunk=chunk, wider=False)], memory)
    # The account of a program is an upper bound: without it, the device has the last word.
    return [reason] if memory() is None else train_together(requests)


def _trained(requests: Sequence[Request], memory: int | None) -> list[Snapshot]:
    counts = [len(request.keys) for request in requests]

    def show(done: int, seen: Seen) -> None:
        for request, own in zip(requests, _parts(seen, counts), strict=True):
            if request.progress is not None:
                request.progress(done, own)

    return _parts(_train(_joined(requests, counts)._replace(progress=show), memory), counts)


def _joined(requests: Sequence[Request], counts: Sequence[int]) -> Request:
    """One request for the members of all, of which there are so many each."""
    first = requests[0]
    longest = max(requests, key=lambda request: len(request.train.inputs))
    chunk = first.chunk
    if first.wider:
        chunk = chunk_size(sum(counts), {n: p[0] for n, p in first.params.items()})
    # Numbers and labels on the host: joined there, they need no program for a length of a pack.
    plans, labels = jax.device_get(
        ([r.plan for r in requests], [(r.train.labels, r.validation.labels) for r in requests])
    )
    plan, (train_labels, validation_labels) = jax.device_put(
        (_plan(plans, counts), [_labels(own, counts) for own in zip(*labels, strict=True)])
    )
    populations = ((request.params, request.mask, request.keys) for request in requests)
    params, mask, keys = jax.tree.map(lambda *each: jnp.concatenate(each), *populations)
    return first._replace(
        plan=plan,
        train=longest.train._replace(labels=train_labels),
        validation=first.validation._replace(labels=validation_labels),
        params=params,
        mask=mask,
        keys=keys,
        chunk=chunk,
    )


def _train(request: Request, memory: int | None) -> Snapshot:
    return train(
        request.model,
        request.rule,
        request.plan,
        request.train,
        request.validation,
        request.params,
        request.mask,
        request.keys,
        request.evaluations,
        chunk=request.chunk,
        snapshot=request.snapshot,
        progress=request.progress,
        watch=request.watch,
        memory=memory,
    )


def _parts(tree: Any, counts: Sequence[int]) -> list[Any]:
    """So many members of it each, one after the other."""
    begins = np.cumsum([0, *counts[:-1]]).tolist()
    return [_part(tree, a, count=n) for a, n in zip(begins, counts, strict=True)]


@functools.partial(jax.jit, static_argnames="count")
def _part(tree: Any, begin: Int[Array, ""], *, count: int) -> Any:
    # Not all parts in one program: of 256 trials XLA compiles that for half a minute.
    return jax.tree.map(lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, begin, count), tree)


def _plan(plans: Sequence[Plan], counts: Sequence[int]) -> Plan:
    """One plan with the numbers of every member."""
    first = plans[0]

    def of(plan: Plan) -> tuple:
        moves = plan.moves
        return plan.rates, plan.train_size, moves and (moves.kept, moves.fraction, moves.least)

    own = (of(plan) for plan in plans)
    rates, size, changes = jax.tree.map(lambda *each: _spread(each, counts), *own)
    moves = first.moves
    if moves is not None:
        kept, fraction, least = changes
        moves = moves._replace(kept=kept, fraction=fraction, least=least)
    units = jax.tree.map(lambda *own: np.concatenate(own), *(plan.units for plan in plans))
    return first._replace(rates=rates, train_size=size, moves=moves, units=units)


def _labels(labels: Sequence[np.ndarray], counts: Sequence[int]) -> np.ndarray:
    """[members, n] of every member; no member reads beyond its own."""
    longest = max(map(len, labels))
    return _spread([np.pad(own, (0, longest - len(own))) for own in labels], counts)


def _spread(each: Sequence[np.ndarray], counts: Sequence[int]) -> np.ndarray:
    """[members, ...]: one after the other, as often as it has members."""
    return np.repeat(np.stack(each), counts, axis=0)


def _too_large(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)
