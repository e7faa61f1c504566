"""Update rules from the settings of `training`, as optax transformations."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int


class Rule(NamedTuple):
    """What shapes the compiled update; the numbers that it works with are in `Rates`.

    Attributes:
      penalised: Adam's gradient is that of the loss and an L2 penalty, where sgd's always is. An
        unused weight then moves to 0 at Adam's pace, however small the decay.
      moving: how the mask changes meanwhile, see `training.moving`.
    """

    batch_size: int = 60
    optimizer: str = "adam"
    momentum: float = 0.9
    schedule: str = "constant"
    clip_norm: float | None = None
    penalised: bool = False
    moving: str = "fixed"


class Rates(NamedTuple):
    """The numbers of an update; arguments of the compiled program."""

    learning_rate: Float[Array, ""]
    weight_decay: Float[Array, ""]
    warmup_steps: Int[Array, ""]
    steps: Int[Array, ""]


def transformation(rule: Rule, rates: Rates) -> optax.GradientTransformation:
    """Gradients to updates: clipping, momentum or Adam, decay, then the scheduled learning rate."""
    parts = []
    if rule.clip_norm is not None:
        parts.append(optax.clip_by_global_norm(rule.clip_norm))
    if rule.optimizer == "sgd" or rule.penalised:
        parts.append(optax.add_decayed_weights(rates.weight_decay))
    parts.append(optax.trace(rule.momentum) if rule.optimizer == "sgd" else scale_by_adam())
    if rule.optimizer == "adamw":
        parts.append(optax.add_decayed_weights(rates.weight_decay))
    parts.append(
        optax.scale_by_learning_rate(
            lambda step: learning_rate(rule.schedule, rates, jnp.asarray(step))
        )
    )
    return optax.chain(*parts)


def learning_rate(schedule: str, rates: Rates, step: Int[Array, ""]) -> Float[Array, ""]:
    """Rate of the update after `step` others: linear warm-up, then the schedule."""
    done = (step - rates.warmup_steps) / jnp.maximum(rates.steps - rates.warmup_steps, 1)
    done = jnp.clip(done, 0, 1)
    decay = {"constant": 1.0, "cosine": 0.5 * (1 + jnp.cos(jnp.pi * done)), "linear": 1 - done}
    warmup = jnp.minimum(1, (step + 1) / jnp.maximum(rates.warmup_steps, 1))
    return rates.learning_rate * warmup * decay[schedule]


def scale_by_adam(
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8
) -> optax.GradientTransformation:
    """Adam (Kingma & Ba, 2015), equal to `optax.scale_by_adam` but for rounding.

    The bias corrections are folded into two scalars, which leaves one division and one root per
    weight where three divisions stood.
    """

    def update(updates, state, params=None):
        del params
        count = state.count + 1
        mu = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state.mu, updates)
        nu = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * (g * g), state.nu, updates)
        step = count.astype(jnp.float32)
        root = jnp.sqrt(1 - b2**step)
        scale = root / (1 - b1**step)
        adapted = jax.tree.map(lambda m, v: scale * m / (jnp.sqrt(v) + eps * root), mu, nu)
        return adapted, optax.ScaleByAdamState(count, mu, nu)

    return optax.GradientTransformation(optax.scale_by_adam(b1, b2, eps).init, update)
