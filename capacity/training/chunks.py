"""How many members of a population run side by side, and running so many at a time."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import jax

T = TypeVar("T")


def chunk_size(members: int, params: Mapping[str, Any], *, device: Any = None) -> int:
    """How many members to train side by side: a divisor of `members`.

    On a CPU, small networks gain from company (fewer, larger operations) until parameters,
    gradients and two moments of all, 16 bytes a weight, outgrow the cache: about four times the
    second-level cache of a core, by `benchmarks/throughput.py`. From then on one after the other
    is faster. On other devices, whatever half of the memory holds four times over.

    Args:
      params: one network, or its shapes.
    """
    device = device or jax.devices()[0]
    state_bytes = 16 * sum(leaf.size for leaf in jax.tree.leaves(params))
    if device.platform == "cpu":
        limit = max(1, 4 * _cache_bytes() // state_bytes)
    else:
        stats = device.memory_stats() or {}
        limit = max(1, stats.get("bytes_limit", 8 << 30) // 2 // (4 * state_bytes))
    return max(c for c in range(1, members + 1) if members % c == 0 and c <= limit)


def mapped(one: Callable[..., T], chunk: int, *members: object) -> T:
    """`one` over the leading axis of `members`, `chunk` at a time, which divides their number."""
    count = jax.tree.leaves(members)[0].shape[0]
    if chunk == count > 1:
        return jax.vmap(one)(*members)
    if chunk == 1:
        return jax.lax.map(lambda each: one(*each), members)
    # `batch_size` of `map` would do the same, but not for arrays without elements.
    parts = jax.tree.map(lambda a: a.reshape(count // chunk, chunk, *a.shape[1:]), members)
    found = jax.lax.map(lambda part: jax.vmap(one)(*part), parts)
    return jax.tree.map(lambda a: a.reshape(count, *a.shape[2:]), found)


def _cache_bytes() -> int:
    """Size of a core's second-level cache, 1 MiB where the system does not say."""
    path = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")
    try:
        return int(path.read_text().strip().removesuffix("K")) << 10
    except (OSError, ValueError):
        return 1 << 20
