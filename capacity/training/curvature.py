"""How the training loss of trained networks curves: products with its Gauss-Newton matrix."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, Key

from capacity.information.curvature import Krylov, krylov
from capacity.models import Model, Params
from capacity.pruning import fisher_diagonal
from capacity.training.chunks import mapped
from capacity.training.examples import Examples, example_losses, pick
from capacity.training.network import Mask

_BATCH = 500

Product = Callable[[Float[Array, " n"]], Float[Array, " n"]]


def curvature(
    model: Model,
    params: Params,
    mask: Mask,
    train: Examples,
    index: Int[Array, " examples"],
    keys: Key[Array, " members"],
    *,
    probes: int,
    steps: int,
    chunk: int,
) -> Krylov:
    """Lanczos iterations with every member's `gauss_newton_product`: [members, probes, ...].

    Probes are random signs, 0 at pruned weights. One compilation an architecture; whatever the
    chunk, a member's are its own.

    Args:
      params, mask: [members, ...].
      index: the training examples that stand for all of them.
      keys: one per member, for its probes.
      steps: at most the number of weights.
    """
    return _curvature(
        model, params, mask, train, index, keys, probes=probes, steps=steps, chunk=chunk
    )


def gauss_newton_product(
    model: Model, params: Params, mask: Mask, train: Examples, index: Int[Array, " examples"]
) -> Product:
    """v to G v, both flat as by `ravel_pytree`, for G of the unpruned weights, in nats.

    G = N / n sum_i J_i' (diag(p_i) - p_i p_i') J_i over the n examples of `index`, where J_i is the
    Jacobian of the logits and p_i the prediction (Schraudolph, 2002; Martens, 2020,
    arXiv:1412.1193): the generalised Gauss-Newton matrix of the cross-entropy of all N training
    labels, summed. It is the Fisher information, needs no labels, and is positive semi-definite
    where the Hessian is not.
    """
    flat, unravelled = ravel_pytree(params)
    kept = _flat_mask(params, mask)
    count = index.shape[0]
    batches = -(-count // _BATCH)
    size = -(-count // batches)
    position = jnp.arange(batches * size).reshape(batches, size)
    share = jnp.where(position < count, train.labels.shape[0] / count, 0.0).astype(flat.dtype)

    def product(vector: Float[Array, " n"]) -> Float[Array, " n"]:
        vector = jnp.where(kept, vector, 0)

        def add(total: Array, part: tuple[Array, Array]) -> tuple[Array, None]:
            where, share = part
            inputs, _ = pick(train, index[jnp.minimum(where, count - 1)])
            logits, pushed = jax.linearize(lambda w: model.apply(unravelled(w), inputs)[0], flat)
            said, moved = jax.nn.softmax(logits), pushed(vector)
            # As a product of matrices: jaxlib 0.10.2 may sum a product wrongly on a CPU where all
            # probes share one of its factors (jax-ml/jax issue 39103).
            mean = jnp.einsum("nc,nc->n", said, moved)
            bent = said * moved - said * mean[:, None]
            (pulled,) = jax.linear_transpose(pushed, flat)(share[:, None] * bent)
            return total + pulled, None

        total, _ = jax.lax.scan(add, jnp.zeros_like(flat), (position, share))
        return jnp.where(kept, total, 0)

    return product


def empirical_fisher(
    model: Model, params: Params, train: Examples, index: Int[Array, " examples"]
) -> Params:
    """Mean square of the gradient, in nats, of the loss of an example, over those of `index`."""

    def loss(params: Params, example: tuple[Array, Array]) -> Float[Array, ""]:
        one, label = example
        return example_losses(model, params, one[None], label[None])[0][0]

    return fisher_diagonal(loss, params, pick(train, index))


def empirical_fishers(
    model: Model, params: Params, train: Examples, index: Int[Array, " examples"], *, chunk: int
) -> Params:
    """`empirical_fisher` of every member of `params` [members, ...]."""
    return _empirical_fishers(model, params, train, index, chunk=chunk)


def _flat_mask(params: Params, mask: Mask) -> Array:
    whole = {n: mask[n] if n in mask else jnp.ones(p.shape, bool) for n, p in params.items()}
    return ravel_pytree(whole)[0]


@functools.partial(jax.jit, static_argnames=("model", "chunk"))
def _empirical_fishers(
    model: Model, params: Params, train: Examples, index: Array, *, chunk: int
) -> Params:
    return mapped(lambda params: empirical_fisher(model, params, train, index), chunk, params)


@functools.partial(jax.jit, static_argnames=("model", "probes", "steps", "chunk"))
def _curvature(
    model: Model,
    params: Params,
    mask: Mask,
    train: Examples,
    index: Array,
    keys: Array,
    *,
    probes: int,
    steps: int,
    chunk: int,
) -> Krylov:
    def one(params: Params, mask: Mask, key: Array) -> Krylov:
        kept = _flat_mask(params, mask)
        signs = jax.random.rademacher(key, (probes, kept.shape[0]), jnp.float32)
        product = gauss_newton_product(model, params, mask, train, index)
        return krylov(product, jnp.where(kept, signs, 0), steps)

    return mapped(one, chunk, params, mask, keys)
