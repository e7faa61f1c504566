"""Scores to masks with exact counts, whatever the ties."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

Mask = dict[str, Bool[Array, "..."]]
"""Which weights are trained and which stay zero, for every prunable tensor by name."""


def keep_largest(
    scores: Float[Array, " n"], mask: Bool[Array, " n"], count: Int[Array, ""]
) -> Bool[Array, " n"]:
    """The `count` entries of largest score among those in `mask`; of equals, the first.

    Exactly min(count, entries in mask) are kept. NaN counts as the smallest score.
    """
    # A threshold found bit by bit: on a CPU a sort takes twenty times as long.
    ranks = _ranks(scores, mask)
    bits = jnp.iinfo(ranks.dtype).bits

    def narrowed(place: Array, threshold: Array) -> Array:
        higher = threshold | (jnp.ones((), ranks.dtype) << (bits - 1 - place).astype(ranks.dtype))
        return jnp.where(jnp.sum(ranks >= higher) >= count, higher, threshold)

    threshold = jax.lax.fori_loop(0, bits, narrowed, jnp.zeros((), ranks.dtype))
    above = ranks > threshold
    equal = (ranks == threshold) & mask
    left = count - jnp.sum(above)
    # Ties are rare, and telling them apart takes as long as all of the above.
    return jax.lax.cond(
        jnp.sum(equal) <= left,
        lambda: above | equal,
        lambda: above | (equal & (jnp.cumsum(equal) <= left)),
    )


def kept_count(remaining: int, rate: float) -> int:
    """Entries that stay when the share `rate` of `remaining` goes, or one: n - round(rate n)."""
    return max(1, remaining - round(rate * remaining))


def prune(scores: Mapping[str, Array], mask: Mask, kept: Mapping[str, Array] | Array) -> Mask:
    """The mask with the largest scores of each tensor kept, or of all tensors together.

    What scores least goes first; of equals the last goes first, by the names of tensors in
    alphabetical order and then by place. Masks only shrink. A pure function for one network, to be
    mapped over a population.

    Args:
      scores: by tensor name, the tensors of `mask` at least.
      kept: entries to keep by tensor name (layerwise), or in all (global).
    """
    if isinstance(kept, Mapping):
        return {
            name: keep_largest(scores[name].ravel(), m.ravel(), kept[name]).reshape(m.shape)
            for name, m in mask.items()
        }
    names = sorted(mask)  # the order that a dict has inside of jit, so that outside gives the same
    flat_scores = jnp.concatenate([scores[name].ravel() for name in names])
    flat_mask = jnp.concatenate([mask[name].ravel() for name in names])
    flat = keep_largest(flat_scores, flat_mask, kept)
    ends = np.cumsum([mask[name].size for name in names])[:-1]
    parts = dict(zip(names, jnp.split(flat, ends), strict=True))
    return {name: parts[name].reshape(m.shape) for name, m in mask.items()}


def _ranks(scores: Float[Array, " n"], mask: Bool[Array, " n"]) -> Array:
    """Unsigned integers in the order of the scores, 0 outside of the mask, equal for -0 and 0."""
    finite = jnp.where(jnp.isnan(scores), -jnp.inf, jnp.where(scores == 0, 0, scores))
    bits = jnp.finfo(scores.dtype).bits
    unsigned = jax.lax.bitcast_convert_type(finite, jnp.dtype(f"uint{bits}"))
    sign = jnp.ones((), unsigned.dtype) << (bits - 1)
    return jnp.where(mask, jnp.where((unsigned & sign) != 0, ~unsigned, unsigned | sign), 0)
