"""Many networks of one architecture, trained by one compiled program."""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Key

from capacity.models import Model, Params
from capacity.training import examples, network
from capacity.training.chunks import mapped
from capacity.training.examples import Examples, Quality
from capacity.training.network import Curve, Mask, Plan, State
from capacity.training.optimizer import Rates, Rule
from capacity.training.own import Own, of_one, own_of
from capacity.training.watching import Watch, Watched


class Seen(NamedTuple):
    """What a population's evaluations have told so far, [members, evaluations]."""

    curve: Curve
    watched: Watched


Progress = Callable[[int, Seen], None]
"""Called with the evaluations done and what they have told."""
UNWATCHED = Watch()
Weights = dict[str, np.ndarray]
"""One network's tensors, or their masks, by name, on the host."""


class Snapshot(NamedTuple):
    """A trained population, and its weights at an earlier evaluation where one was asked for."""

    state: State
    earlier: Params


def train(
    model: Model,
    rule: Rule,
    plan: Plan,
    train: Examples,
    validation: Examples,
    params: Params,
    mask: Mask,
    keys: Key[Array, " members"],
    evaluations: int,
    *,
    chunk: int,
    snapshot: int = 0,
    progress: Progress | None = None,
    watch: Watch = UNWATCHED,
    memory: int | None = None,
) -> Snapshot:
    """The members with initial weights `params` [members, ...] and masks `mask`, trained.

    Member i is the network that its weights, mask and key give alone, to float tolerance, whatever
    the chunk. Of what a lottery changes from round to round, only the number of units that are
    trained is compiled in, where some are left out.

    Args:
      plan: of all members, or [members, ...] of each: rates, sizes of training sets, what moves of
        masks leave and exchange, and units that are trained. When things happen is common to all.
      train, validation: with labels [n] of all members, or [members, n] of each.
      keys: one per member, for the order of its examples.
      evaluations: how often to evaluate in all; `plan.evaluate_every` steps lie between.
      chunk: members that run side by side; see `chunk_size`.
      snapshot: the evaluation after which `Snapshot.earlier` is taken; 0 is before the first step.
      watch: what evaluations tell of the layers' saturation, of which `all_reports` makes numbers.
      memory: bytes that the program may take; None for as many as there are.

    Raises:
      MemoryError: the compiled program says that it takes more than `memory`.
    """
    own = own_of(plan, train, validation, params)
    fixed = (model, rule, plan, train, validation, own)
    begin = functools.partial(_start, model, rule, evaluations=evaluations, watch=watch)
    done, stride = 0, 1
    if memory is not None:
        moving = (jax.eval_shape(begin, own.rates, params, mask), mask, keys, done, evaluations)
        needed = _bytes(_advance.lower(*fixed, *moving, chunk=chunk, watch=watch), params)
        if needed > memory:
            raise MemoryError(f"{len(keys)} networks take {needed:,} bytes of {memory:,}")
    state = begin(own.rates, params, mask)
    earlier = _copy(state.params)
    while done < evaluations:
        until = min(done + stride, evaluations)
        if done < snapshot < until:
            until = snapshot
        began = time.perf_counter()
        state = _advance(*fixed, state, mask, keys, done, until, chunk=chunk, watch=watch)
        jax.block_until_ready(state.curve)
        done = until
        if done == snapshot:
            earlier = _copy(state.params)
        if progress is not None:
            progress(done, Seen(state.curve, state.watched))
        # The device runs on its own for about a second, then shows how far it is.
        stride = max(1, min(2 * stride, int(stride / (time.perf_counter() - began))))
    return Snapshot(state, earlier)


def evaluate(model: Model, params: Params, split: Examples, *, chunk: int) -> Quality:
    """Loss (bits) and accuracy of every member of `params` [members, ...] over a split."""
    return jax.tree.map(np.asarray, _evaluate(model, params, split, chunk=chunk))


def initial(model: Model, keys: Key[Array, " members"]) -> Params:
    """Fresh weights [members, ...], one network per key."""
    return _initial(model, keys)


def member_keys(seeds: Sequence[int], stream: str, index: int = 0) -> Key[Array, " members"]:
    """A key per seed for the consumer named `stream`; a new consumer moves no other's numbers."""
    word = sum(byte * 257**i for i, byte in enumerate(stream.encode())) % 2**31
    return _keys(np.asarray(seeds, np.uint32), word, index)


def members(tree: Mapping[str, Array]) -> list[Weights]:
    """The population's arrays [members, ...] as one dictionary of host arrays per member."""
    host = {name: np.asarray(leaf) for name, leaf in tree.items()}
    count = len(next(iter(host.values())))
    return [{name: leaf[m] for name, leaf in host.items()} for m in range(count)]


def stacked(members: Sequence[Weights]) -> Params:
    """The members as one population [members, ...] on the device."""
    return {name: jnp.asarray(np.stack([w[name] for w in members])) for name in members[0]}


def compilations() -> int:
    """Training programs compiled (or loaded from the cache) by this process."""
    program: Any = _advance
    return program._cache_size()


def _bytes(lowered: jax.stages.Lowered, params: Params) -> int:
    """What a program takes of its device: its arguments, results, scratch space and a snapshot.

    It is compiled for that, and not again when it runs.
    """
    stats: Any = lowered.compile().memory_analysis()
    if stats is None:  # Not every device can say.
        return 0
    taken = stats.argument_size_in_bytes + stats.output_size_in_bytes + stats.temp_size_in_bytes
    return taken - stats.alias_size_in_bytes + sum(leaf.nbytes for leaf in params.values())


@functools.partial(jax.jit, static_argnames=("model", "rule", "evaluations", "watch"))
def _start(
    model: Model,
    rule: Rule,
    rates: Rates,
    params: Params,
    mask: Mask,
    *,
    evaluations: int,
    watch: Watch,
) -> State:
    def one(rates: Rates, params: Params, mask: Mask) -> State:
        return network.start(model, params, mask, rule, rates, evaluations, watch)

    return jax.vmap(one)(rates, params, mask)


@functools.partial(
    jax.jit, static_argnames=("model", "rule", "chunk", "watch"), donate_argnames=("state",)
)
def _advance(
    model: Model,
    rule: Rule,
    plan: Plan,
    train: Examples,
    validation: Examples,
    own: Own,
    state: State,
    mask: Mask,
    keys: Array,
    done: Int[Array, ""],
    until: Int[Array, ""],
    *,
    chunk: int,
    watch: Watch,
) -> State:
    def one(own: Own, state: State, mask: Mask, key: Array) -> State:
        return network.advance(
            model,
            rule,
            of_one(plan, own),
            train._replace(labels=own.train),
            validation._replace(labels=own.validation),
            state,
            mask,
            key,
            done,
            until,
            watch,
        )

    return mapped(one, chunk, own, state, mask, keys)


@jax.jit
def _copy(params: Params) -> Params:
    return jax.tree.map(jnp.copy, params)


@functools.partial(jax.jit, static_argnames=("model", "chunk"))
def _evaluate(model: Model, params: Params, split: Examples, *, chunk: int) -> Quality:
    return mapped(lambda params: examples.evaluate(model, params, split), chunk, params)


@jax.jit
def _keys(seeds: Array, word: Array, index: Array) -> Key[Array, " members"]:
    def key(seed: Array) -> Array:
        return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), word), index)

    return jax.vmap(key)(seeds)


@functools.partial(jax.jit, static_argnames="model")
def _initial(model: Model, keys: Array) -> Params:
    return jax.vmap(model.init)(keys)
