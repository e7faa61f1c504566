"""One network on its way to short integers, as pure functions that a population maps."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from capacity.coding.rate import rate
from capacity.models import Model, Params
from capacity.training.examples import Examples, evaluate, example_losses, pick
from capacity.training.network import Mask
from capacity.training.optimizer import Rates, learning_rate, scale_by_adam
from capacity.training.order import shuffled
from capacity.training.step import masked, turned

_LN2 = 0.6931471805599453

Steps = dict[str, Float[Array, "..."]]
"""The distance of neighbouring values of every tensor, by name."""


class FinetunePlan(NamedTuple):
    """The numbers of a fine-tuning, all of them arguments of the compiled program.

    The defaults were chosen for LeNet-300-100 on held-out training images of MNIST. Weights must
    cross from one integer to the next, hence a learning rate above that of ordinary training: at
    a quarter of it, files are 40 % longer.
    """

    evaluations: int = 24
    updates: int = 430  # to each evaluation: an epoch of 55,000 examples in batches of 128
    learning_rate: float = 0.02  # of the weights, in steps per update
    step_learning_rate: float = 0.002  # of the logarithms of the steps, per update
    relative_step: float = 2.5  # first step in units of a tensor's root mean square
    warmup: float = 0.03  # share of the updates in which the learning rates rise
    ramp: float = 0.3  # share of the updates in which the rate's weight rises


class RateCurve(NamedTuple):
    """Of the network of integers at every evaluation, NaN where none has happened yet.

    Losses are in bits per example. `rate` is the modelled length of all tensors in bits: what the
    training minimises, not a size, which is that of a file.
    """

    train_loss: Float[Array, "*members evaluations"]
    train_accuracy: Float[Array, "*members evaluations"]
    validation_loss: Float[Array, "*members evaluations"]
    validation_accuracy: Float[Array, "*members evaluations"]
    rate: Float[Array, "*members evaluations"]


class Quantising(NamedTuple):
    """A network in fine-tuning: its weights in units of their tensor's step, not yet rounded."""

    latent: Params
    steps: Steps
    moments: Any
    curve: RateCurve


def start(plan: FinetunePlan, params: Params, mask: Mask, evaluations: int) -> Quantising:
    """A network before its first update, with room for `evaluations`."""
    params = masked(params, mask)
    steps = {name: plan.relative_step * _root_mean_square(p) for name, p in params.items()}
    latent = {name: p / steps[name] for name, p in params.items()}
    curve = RateCurve(*(jnp.full((evaluations,), jnp.nan) for _ in RateCurve._fields))
    moments: Any = scale_by_adam().init((latent, steps))
    return Quantising(latent, steps, moments, curve)


def advance(
    model: Model,
    plan: FinetunePlan,
    train: Examples,
    validation: Examples,
    state: Quantising,
    mask: Mask,
    rate_weight: Float[Array, ""],
    key: Key[Array, ""],
    done: Int[Array, ""],
    *,
    batch_size: int,
    shift: int,
) -> Quantising:
    """`state`, that has `done` evaluations behind it, after the updates to the next one and that.

    Minimises cross-entropy + rate weight x bits by Adam with a cosine schedule.
    """
    order_key, shift_key = jax.random.split(key)
    size = jnp.int32(train.labels.shape[0])
    total = jnp.float32(plan.updates * plan.evaluations)
    mask = turned(mask)

    def update(i: Array, carry: tuple) -> tuple:
        latent, steps, moments, sums = carry
        now = done * plan.updates + i
        index = shuffled(order_key, now * batch_size + jnp.arange(batch_size), size)
        inputs, labels = pick(train, index)
        inputs = shifted(inputs, shift, jax.random.fold_in(shift_key, now))
        ramped = jnp.float32(now) / jnp.maximum(plan.ramp * total, 1)
        price = rate_weight * jnp.minimum(1, ramped)

        def objective(latent: Params, growth: Steps) -> tuple[Array, tuple]:
            grown = {name: step * jnp.exp(growth[name]) for name, step in steps.items()}
            loss, right = example_losses(model, turned(quantised(latent, grown)), inputs, labels)
            loss = jnp.mean(loss)
            return loss + price * network_rate(latent), (loss, jnp.mean(right))

        # Steps learn by their logarithm but are kept themselves, so that the float32 number in a
        # file is the very one that the network was trained with.
        growth = {name: jnp.zeros_like(step) for name, step in steps.items()}
        slopes, (loss, accuracy) = jax.grad(objective, (0, 1), has_aux=True)(latent, growth)
        grads: Any = masked(slopes[0], mask), slopes[1]
        adapted: Any
        adapted, moments = scale_by_adam().update(grads, moments)
        down, shrink = adapted
        pace = _pace(plan, total, now)
        latent = {n: w - plan.learning_rate * pace * down[n] for n, w in latent.items()}
        far = plan.step_learning_rate * pace
        steps = {name: step * jnp.exp(-far * shrink[name]) for name, step in steps.items()}
        return latent, steps, moments, (sums[0] + loss, sums[1] + accuracy)

    sums = (jnp.zeros(()), jnp.zeros(()))
    carry = (turned(state.latent), state.steps, turned(state.moments), sums)
    latent, steps, moments, sums = jax.lax.fori_loop(0, plan.updates, update, carry)
    latent, moments = turned(latent), turned(moments)

    quality = evaluate(model, quantised(latent, steps), validation)
    updates = jnp.float32(plan.updates)
    values = (sums[0] / updates / _LN2, sums[1] / updates, *quality, network_rate(latent))
    curve = RateCurve(*(c.at[done].set(v) for c, v in zip(state.curve, values, strict=True)))
    return Quantising(latent, steps, moments, curve)


def quantised(latent: Params, steps: Steps) -> Params:
    """Nearest integers times steps; gradients are those of `latent` times steps.

    Rounding is passed straight through (Bengio et al., 2013).
    """
    return {name: _nearest(leaf) * steps[name] for name, leaf in latent.items()}


def network_rate(latent: Params) -> Float[Array, ""]:
    """Modelled bits of all tensors of one network, by `capacity.coding.rate`.

    A convolution is a matrix of a column per output channel, a vector one of a single row.
    """
    bits = [rate(leaf.reshape(-1, leaf.shape[-1])) for leaf in latent.values()]
    return jnp.sum(jnp.stack(bits))


def shifted(inputs: Float[Array, "batch ..."], most: int, key: Key[Array, ""]) -> Array:
    """Images [batch, height, width, channels], each moved by up to `most` pixels either way.

    What moves in is the edge. With 0 nothing moves, and the inputs may have any shape.
    """
    if most == 0:
        return inputs
    corners = jax.random.randint(key, (inputs.shape[0], 2), 0, 2 * most + 1)
    framed = jnp.pad(inputs, ((0, 0), (most, most), (most, most), (0, 0)), mode="edge")

    def window(image: Array, corner: Array) -> Array:
        return jax.lax.dynamic_slice(image, (corner[0], corner[1], 0), inputs.shape[1:])

    return jax.vmap(window)(framed, corners)


@jax.custom_jvp
def _nearest(latent: Array) -> Array:
    return jnp.round(latent)


_nearest.defjvp(lambda primals, tangents: (_nearest(*primals), *tangents))


def _pace(plan: FinetunePlan, total: Array, now: Array) -> Float[Array, ""]:
    """Share of the learning rates that applies to the update after `now` others."""
    warmup, steps = (jnp.int32(share * total) for share in (plan.warmup, 1))
    rates = Rates(jnp.float32(1), jnp.float32(0), warmup, steps)
    return learning_rate("cosine", rates, now)


def _root_mean_square(weights: Array) -> Float[Array, ""]:
    """Of the weights that are not zero, so that a pruned tensor has the scale of its survivors."""
    count = jnp.sum(weights != 0, dtype=jnp.float32)
    return jnp.where(count > 0, jnp.sqrt(jnp.sum(weights**2) / jnp.maximum(count, 1)), 1)
