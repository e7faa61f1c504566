"""The settings of an update as training takes them: what shapes the program, and its numbers."""

import jax.numpy as jnp

from capacity.config import Updates
from capacity.training import Rates, Rule


def rule(settings: Updates, batch_size: int, schedule: str | None = None) -> Rule:
    """The rule of `settings`, with another `schedule` if one is given."""
    return Rule(
        batch_size=batch_size,
        optimizer=settings.optimizer,
        momentum=0.9 if settings.momentum is None else settings.momentum,
        schedule=schedule or settings.schedule,
        clip_norm=settings.clip_norm,
        penalised=settings.optimizer == "adam" and settings.weight_decay > 0,
    )


def rates(settings: Updates, steps: int) -> Rates:
    """The numbers of `settings` for a training of so many steps."""
    return Rates(
        learning_rate=jnp.float32(settings.learning_rate),
        weight_decay=jnp.float32(settings.weight_decay),
        warmup_steps=jnp.int32(settings.warmup_steps),
        steps=jnp.int32(steps),
    )
