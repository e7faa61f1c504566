"""Synaptic flow: pruning without data that keeps every layer alive (Tanaka et al., 2020)."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from capacity.pruning.allocation import competition
from capacity.pruning.masks import Mask, prune
from capacity.pruning.scores import Scores, Weights, scored

Outputs = Callable[[dict[str, Array]], Array]
"""The outputs of a network with the given tensors, for an input of ones."""


def synaptic_flow(outputs: Outputs, params: Weights, mask: Mask) -> Scores:
    """theta dR/dtheta of R, the sum of outputs, all tensors replaced by their absolute values.

    Removed first is the weight on the weakest paths from input to output. Where activations are
    linear for positive values (ReLU) and there are no biases, each layer's scores add up to R,
    which is why none dies; a bounded activation or a normalisation breaks that. R grows with the
    product of all layers, which float32 holds up to about 1e38.
    """
    sizes = {name: jnp.abs(p) for name, p in params.items()}
    kernels = {name: jnp.where(m, sizes[name], 0) for name, m in mask.items()}
    flow = jax.grad(lambda k: jnp.sum(outputs({**sizes, **k})))(kernels)
    return scored({name: kernels[name] * flow[name] for name in mask}, mask)


def synflow(
    outputs: Outputs,
    params: Weights,
    mask: Mask,
    count: Int[Array, ""],
    rounds: int = 100,
    least: int = 0,
) -> Mask:
    """The mask with exactly `count` weights left after `rounds` of removing the smallest scores.

    After round k the share (count / n)^(k / rounds) of the n weights in `mask` is left, and all
    layers compete (arXiv:2006.05467, algorithm 1), but for the `least` best of each.
    """
    total = jnp.float32(sum(jnp.sum(m) for m in mask.values()))
    share = jnp.log(count.astype(jnp.float32) / total)

    def after(index: Array, mask: Mask) -> Mask:
        left = total * jnp.exp(share * ((index + 1).astype(jnp.float32) / rounds))
        # Rounding must not go below what is wanted, which the last round then has exactly.
        kept = jnp.where(
            index + 1 == rounds, count, jnp.maximum(count, jnp.round(left).astype(jnp.int32))
        )
        flow = synaptic_flow(outputs, params, mask)
        return prune(flow, mask, competition(flow, mask, kept, least))

    return jax.lax.fori_loop(0, rounds, after, dict(mask))
