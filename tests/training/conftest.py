"""One small network and one data set for all tests of training, so that few programs compile."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import training
from capacity.lottery import dense_mask
from capacity.models import Architecture, Model, build
from capacity.training import Examples, Plan, Rates, Rule, Watch

INPUTS, CLASSES, EVERY = 6, 4, 5
UNWATCHED = Watch()


def drawn(count, seed):
    """Examples of a linear rule, and an offset and a scale that matter."""
    draw = np.random.default_rng(seed)
    inputs = draw.normal(size=(count, INPUTS)).astype(np.float32)
    rule = np.random.default_rng(99).normal(size=(INPUTS, CLASSES))
    labels = np.argmax(inputs @ rule, axis=1).astype(np.int32)
    offset, scale = jnp.float32(1.5), jnp.float32(0.5)
    stored = inputs / scale + offset
    return Examples(jnp.asarray(stored), jnp.asarray(labels), offset, scale)


class Bench(NamedTuple):
    """A network, its data, and how to train a population of it."""

    model: Model
    train: Examples
    validation: Examples

    def initial(self, seeds):
        return training.initial(self.model, training.member_keys(seeds, "initial"))

    def run(
        self,
        seeds=range(4),
        *,
        rule=None,
        chunk=None,
        params=None,
        mask=None,
        evaluations=6,
        every=EVERY,
        learning_rate=0.01,
        weight_decay=0.0,
        train_size=None,
        train=None,
        snapshot=0,
        progress=None,
        watch=UNWATCHED,
    ):
        params = self.initial(seeds) if params is None else params
        rates = Rates(
            jnp.float32(learning_rate),
            jnp.float32(weight_decay),
            jnp.int32(0),
            jnp.int32(evaluations * every),
        )
        train = self.train if train is None else train
        plan = Plan(rates, jnp.int32(train_size or len(train.labels)), jnp.int32(every))
        return training.train(
            self.model,
            rule or Rule(batch_size=20),
            plan,
            train,
            self.validation,
            params,
            dense_mask(params) if mask is None else mask,
            training.member_keys(seeds, "order"),
            evaluations,
            chunk=chunk or len(seeds),
            snapshot=snapshot,
            progress=progress,
            watch=watch,
        )


@pytest.fixture(scope="session")
def bench():
    architecture = Architecture(
        family="mlp",
        width=12.0,
        depth=1,
        taper=1.0,
        activation="tanh",
        layer_norm=False,
        initialisation="glorot",
        input_shape=(INPUTS,),
        class_count=CLASSES,
    )
    return Bench(build(architecture), drawn(90, 0), drawn(70, 1))


@pytest.fixture(scope="session")
def trained(bench):
    """Four dense members after 30 steps of Adam."""
    return bench.run()


@pytest.fixture(scope="session")
def half_mask(bench):
    """A random half of every kernel, other for each member."""
    return {
        name: jax.random.bernoulli(jax.random.key(i), 0.5, mask.shape)
        for i, (name, mask) in enumerate(dense_mask(bench.initial(range(4))).items())
    }
