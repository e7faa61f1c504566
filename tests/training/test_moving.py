"""Masks that move in training: exact counts, a loop by hand, the best behind the last move."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from capacity import training
from capacity.lottery import dense_mask
from capacity.pruning import kept_counts, rigl
from capacity.pruning.dynamic import drop_fraction
from capacity.pruning.schedules import gradual
from capacity.training import Moves, Plan, Rates, Rule
from capacity.training.moving import due, following
from capacity.training.order import shuffled

SEEDS, EVERY, EVALUATIONS, RATE = range(3), 5, 6, 0.01
SCHEDULE = gradual(0.75, 4, 18, 7)  # updates before steps 4, 11 and 18 of 30
SIZES = {"layers/0/kernel": 72, "output/kernel": 48}


def moves(kept=None, fraction=0.0):
    return Moves(
        jnp.int32(SCHEDULE.start),
        jnp.int32(SCHEDULE.every),
        jnp.int32(SCHEDULE.updates),
        {} if kept is None else kept,
        jnp.float32(fraction),
        jnp.int32(1),
    )


def gradual_tables():
    return {n: jnp.asarray(kept_counts(SCHEDULE, s), jnp.int32) for n, s in SIZES.items()}


def run(bench, moving, moves, seeds=SEEDS, mask=None, chunk=None, evaluations=EVALUATIONS):
    params = bench.initial(seeds)
    rates = Rates(jnp.float32(RATE), jnp.float32(0), jnp.int32(0), jnp.int32(30))
    plan = Plan(rates, jnp.int32(len(bench.train.labels)), jnp.int32(EVERY), moves)
    return training.train(
        bench.model,
        Rule(batch_size=20, moving=moving),
        plan,
        bench.train,
        bench.validation,
        params,
        dense_mask(params) if mask is None else mask,
        training.member_keys(seeds, "order"),
        evaluations,
        chunk=chunk or len(seeds),
    ).state


def half(bench):
    """A random half of every kernel, other for each member, as many for all."""
    params = bench.initial(SEEDS)
    return {
        name: jax.vmap(lambda key, m=m: jax.random.permutation(key, m.ravel()).reshape(m.shape))(
            training.member_keys(SEEDS, name)
        )
        for name, m in {
            n: jnp.arange(leaf[0].size).reshape(leaf[0].shape) % 2 == 0
            for n, leaf in dense_mask(params).items()
        }.items()
    }


def counts(mask):
    return {name: [int(np.sum(m)) for m in np.asarray(leaf)] for name, leaf in mask.items()}


def zero_outside(state):
    for name, mask in state.sparse.mask.items():
        for tree in (state.params, state.best):
            assert not np.any(np.asarray(tree[name])[~np.asarray(mask)])


@pytest.fixture(scope="module")
def gradually(bench):
    return run(bench, "gradual", moves(gradual_tables()))


def test_updates_are_due_where_the_schedule_has_them():
    """Before steps 4, 11 and 18; the next after 11 is 18, after 2 it is 4."""
    found = moves()
    assert [step for step in range(30) if bool(due(found, jnp.int32(step)))] == [4, 11, 18]
    assert [int(following(found, jnp.int32(s))) for s in (0, 2, 4, 10, 11)] == [4, 4, 11, 11, 18]


def test_gradual_pruning_ends_at_the_exact_count_of_every_layer(gradually):
    """A quarter of 72 and of 48."""
    assert counts(gradually.sparse.mask) == {
        "layers/0/kernel": [18] * 3,
        "output/kernel": [12] * 3,
    }
    zero_outside(gradually)


def test_gradual_pruning_is_the_loop_by_hand(bench, gradually):
    """With optax's own Adam, whole weights and a sort, for one member."""
    params = {name: leaf[0] for name, leaf in bench.initial(SEEDS).items()}
    mask = {name: np.ones(leaf.shape, bool) for name, leaf in params.items() if name in SIZES}
    adam = optax.adam(RATE)
    state = adam.init(params)
    key = training.member_keys(SEEDS, "order")[0]
    tables = {name: kept_counts(SCHEDULE, size) for name, size in SIZES.items()}

    @jax.jit
    def gradient(params, step):
        index = shuffled(key, step * 20 + jnp.arange(20), jnp.int32(90))
        inputs, labels = training.pick(bench.train, index)
        return jax.grad(
            lambda p: jnp.mean(training.example_losses(bench.model, p, inputs, labels)[0])
        )(params)

    for step in range(30):
        if step in (4, 11, 18):
            index = (step - 4) // 7
            for name, table in tables.items():
                flat = np.where(mask[name], np.abs(params[name]), -1).ravel()
                mask[name] = np.zeros(flat.size, bool)
                mask[name][np.argsort(-flat, kind="stable")[: table[index]]] = True
                mask[name] = mask[name].reshape(params[name].shape)
                params[name] = jnp.where(mask[name], params[name], 0)
            inner, *rest = state
            zeroed = {
                part: {n: jnp.where(mask[n], m, 0) if n in mask else m for n, m in tree.items()}
                for part, tree in (("mu", inner.mu), ("nu", inner.nu))
            }
            state = (inner._replace(**zeroed), *rest)
        grads = gradient(params, jnp.int32(step))
        grads = {n: jnp.where(mask[n], g, 0) if n in mask else g for n, g in grads.items()}
        with jax.numpy_dtype_promotion("standard"):
            updates, state = adam.update(grads, state, params)
        params = optax.apply_updates(params, updates)
    for name, leaf in params.items():
        np.testing.assert_allclose(gradually.params[name][0], leaf, rtol=2e-3, atol=2e-5)
    for name, kept in mask.items():
        np.testing.assert_array_equal(gradually.sparse.mask[name][0], kept)


def test_a_population_prunes_as_its_members_do(bench, gradually):
    alone = run(bench, "gradual", moves(gradual_tables()), seeds=[1])
    for name, mask in alone.sparse.mask.items():
        np.testing.assert_array_equal(gradually.sparse.mask[name][1], mask[0])


def test_one_compilation_for_every_sparsity(bench, gradually):
    before = training.compilations()
    dense = {name: jnp.full(3, size, jnp.int32) for name, size in SIZES.items()}
    state = run(bench, "gradual", moves(dense))
    assert training.compilations() == before
    assert counts(state.sparse.mask) == {name: [size] * 3 for name, size in SIZES.items()}


def test_all_layers_may_compete(bench):
    total = jnp.asarray(kept_counts(SCHEDULE, 120), jnp.int32)
    state = run(bench, "gradual", moves(total))
    sums = np.sum(list(counts(state.sparse.mask).values()), axis=0)
    np.testing.assert_array_equal(sums, 30)
    zero_outside(state)


def test_movement_keeps_what_training_drives_away_from_zero(bench):
    state = run(bench, "movement", moves(gradual_tables()))
    assert counts(state.sparse.mask)["layers/0/kernel"] == [18] * 3
    zero_outside(state)
    kept = np.asarray(state.sparse.mask["layers/0/kernel"])
    movement = np.asarray(state.sparse.movement["layers/0/kernel"])
    assert movement[kept].mean() > movement[~kept].mean()


@pytest.mark.parametrize("moving", ["set", "rigl"])
def test_dynamic_training_moves_and_keeps_every_count(bench, moving):
    start = half(bench)
    state = run(bench, moving, moves(fraction=0.5), mask=start)
    assert counts(state.sparse.mask) == {"layers/0/kernel": [36] * 3, "output/kernel": [24] * 3}
    zero_outside(state)
    for name, mask in state.sparse.mask.items():
        assert np.any(np.asarray(mask) != np.asarray(start[name]))


def test_without_a_share_to_exchange_the_mask_rests(bench):
    start = half(bench)
    state = run(bench, "rigl", moves(), mask=start)
    for name, mask in state.sparse.mask.items():
        np.testing.assert_array_equal(mask, start[name])


def test_rigl_grows_by_the_gradient_of_all_weights(bench):
    """The first update, before step 4, from the weights that four steps of training give."""
    start = half(bench)
    only = moves(fraction=0.5)._replace(updates=jnp.int32(0), every=jnp.int32(100))
    only = only._replace(start=jnp.int32(5))
    before = run(bench, "rigl", only, mask=start, evaluations=1)
    after = run(bench, "rigl", only, mask=start, evaluations=2)
    key = training.member_keys(SEEDS, "order")[2]
    params = {name: leaf[2] for name, leaf in before.params.items()}
    index = shuffled(key, 5 * 20 + jnp.arange(20), jnp.int32(90))
    inputs, labels = training.pick(bench.train, index)
    grads = jax.grad(
        lambda p: jnp.mean(training.example_losses(bench.model, p, inputs, labels)[0])
    )(params)
    share = 0.5 * drop_fraction(jnp.int32(0), 1, 1.0)
    _, mask = rigl(params, grads, {n: m[2] for n, m in start.items()}, share)
    for name in mask:
        np.testing.assert_array_equal(after.sparse.mask[name][2], mask[name])


def test_the_best_is_behind_the_last_move(gradually):
    """Which is before step 18, in the fourth evaluation: none of the first three can be it."""
    assert np.all(np.asarray(gradually.best_evaluation) >= 3)
