"""Training: a population equals its members, masks hold, the best is kept, one compilation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import criteria, lottery, training
from capacity.criteria import Batch, Criterion
from capacity.lottery import Lottery, Operations, dense_mask
from capacity.pruning import kept_count
from capacity.training import Rule, chunk_size, member_keys
from capacity.training.order import shuffled

SEEDS, EVERY, BATCH = range(4), 5, 20
MOMENTUM = Rule(batch_size=BATCH, optimizer="sgd", momentum=0.9)


def member(tree, index):
    return jax.tree.map(lambda leaf: leaf[index], tree)


def assert_close(found, expected, rtol=2e-4, atol=2e-5):
    """Equal but for the order of float32 sums, which 30 steps of Adam blow up a hundredfold."""
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=atol), found, expected
    )


@pytest.fixture(scope="module")
def alone(bench):
    """The members one by one, each in a population of its own."""
    return [bench.run([seed]).state for seed in SEEDS]


@pytest.mark.parametrize("chunk", [1, 2, 4])
def test_a_population_equals_its_members_trained_alone(bench, alone, chunk):
    together = bench.run(chunk=chunk).state
    for index in SEEDS:
        for part in ("params", "best", "curve", "best_evaluation"):
            assert_close(
                member(getattr(together, part), index), member(getattr(alone[index], part), 0)
            )


def test_a_population_starts_as_its_members_do(bench):
    crowd, single = bench.initial(SEEDS), bench.initial([2])
    assert_close(member(crowd, 2), member(single, 0), rtol=0, atol=0)
    kernels = np.asarray(crowd["layers/0/kernel"])
    assert len({kernel.tobytes() for kernel in kernels}) == len(SEEDS)


def test_members_apart_and_stacked_again_are_the_population(bench):
    crowd = bench.initial(SEEDS)
    apart = training.members(crowd)
    assert len(apart) == len(SEEDS)
    assert_close(apart[2], member(crowd, 2), rtol=0, atol=0)
    assert_close(training.stacked(apart), crowd, rtol=0, atol=0)


def test_training_is_plain_gradient_descent_on_the_shuffled_examples(bench):
    """A loop by hand, in double precision: a tanh layer, softmax, momentum and L2 penalty."""
    decay, rate, steps = 0.01, 0.2, 6 * EVERY
    found = member(bench.run(rule=MOMENTUM, learning_rate=rate, weight_decay=decay).state, 3)
    weights = {n: np.asarray(p[0], np.float64) for n, p in bench.initial([3]).items()}
    velocity = {n: np.zeros_like(w) for n, w in weights.items()}
    stored, labels, offset, scale = (np.asarray(part) for part in bench.train)
    inputs = (stored.astype(np.float64) - offset) * scale
    size = jnp.int32(len(labels))
    order = shuffled(member_keys([3], "order")[0], jnp.arange(steps * BATCH), size)
    losses, accuracies = [], []
    for index in np.asarray(order).reshape(steps, BATCH):
        x, y = inputs[index], labels[index]
        hidden = np.tanh(x @ weights["layers/0/kernel"] + weights["layers/0/bias"])
        logits = hidden @ weights["output/kernel"] + weights["output/bias"]
        share = np.exp(logits - logits.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        losses.append(-np.mean(np.log2(share[np.arange(BATCH), y])))
        accuracies.append(np.mean(np.argmax(logits, axis=1) == y))
        out = (share - np.eye(share.shape[1])[y]) / BATCH
        back = (out @ weights["output/kernel"].T) * (1 - hidden**2)
        gradients = {
            "layers/0/kernel": x.T @ back,
            "layers/0/bias": back.sum(axis=0),
            "output/kernel": hidden.T @ out,
            "output/bias": out.sum(axis=0),
        }
        for name, gradient in gradients.items():
            velocity[name] = MOMENTUM.momentum * velocity[name] + gradient + decay * weights[name]
            weights[name] = weights[name] - rate * velocity[name]
    assert_close(found.params, weights, rtol=1e-3, atol=1e-4)
    # The curve holds means over the steps between evaluations, in bits.
    np.testing.assert_allclose(
        found.curve.train_loss, np.reshape(losses, (6, EVERY)).mean(axis=1), rtol=1e-3
    )
    np.testing.assert_allclose(
        found.curve.train_accuracy, np.reshape(accuracies, (6, EVERY)).mean(axis=1), rtol=1e-6
    )


@pytest.mark.parametrize(
    "rule",
    [Rule(batch_size=BATCH), Rule(batch_size=BATCH, optimizer="adamw"), MOMENTUM],
    ids=lambda rule: rule.optimizer,
)
def test_pruned_weights_stay_exactly_zero(bench, half_mask, rule):
    """After 120 steps with momentum and decay, at the end, at the best step and on the way."""
    found = bench.run(
        rule=rule, mask=half_mask, every=20, weight_decay=0.1, snapshot=3, learning_rate=0.05
    )
    for params in (found.state.params, found.state.best, found.earlier):
        for name, mask in half_mask.items():
            assert not np.any(np.asarray(params[name])[~np.asarray(mask)])
            assert np.all(np.asarray(params[name])[np.asarray(mask)] != 0)


def test_the_best_weights_are_those_of_the_smallest_validation_loss(bench):
    """A rate so large that the loss goes up and down."""
    state = bench.run(learning_rate=0.3).state
    losses = np.asarray(state.curve.validation_loss)
    np.testing.assert_array_equal(state.best_evaluation, np.argmin(losses, axis=1))
    assert len(set(np.argmin(losses, axis=1)) | {5}) > 1  # not only the last
    best = training.evaluate(bench.model, state.best, bench.validation, chunk=4)
    last = training.evaluate(bench.model, state.params, bench.validation, chunk=4)
    np.testing.assert_allclose(best.loss, losses.min(axis=1), rtol=1e-5)
    np.testing.assert_allclose(last.loss, losses[:, -1], rtol=1e-5)
    accuracies = np.asarray(state.curve.validation_accuracy)
    np.testing.assert_allclose(best.accuracy, accuracies[SEEDS, np.argmin(losses, axis=1)])


def test_a_member_diverges_alone(bench, trained):
    params = bench.initial(SEEDS)
    broken = params["layers/0/kernel"].at[1, 0, 0].set(jnp.nan)
    state = bench.run(params={**params, "layers/0/kernel": broken}).state
    assert state.diverged.tolist() == [False, True, False, False]
    assert trained.state.diverged.tolist() == [False] * 4
    for index in (0, 2, 3):
        assert_close(member(state.params, index), member(trained.state.params, index))
        assert_close(member(state.curve, index), member(trained.state.curve, index))


def test_a_member_that_diverges_late_keeps_its_best(bench):
    """A penalty that turns every weight into -99 times itself: 1e38 is reached after 19 steps."""
    state = bench.run(rule=MOMENTUM, learning_rate=1.0, weight_decay=100.0).state
    losses = np.asarray(state.curve.validation_loss)
    assert np.all(np.isfinite(losses[:, 0]))
    assert np.all(np.isnan(losses[:, -1]))
    assert np.all(np.asarray(state.diverged))
    np.testing.assert_array_equal(state.best_evaluation, np.nanargmin(losses, axis=1))
    best = training.evaluate(bench.model, state.best, bench.validation, chunk=4)
    np.testing.assert_allclose(best.loss, np.nanmin(losses, axis=1), rtol=1e-5)


@pytest.fixture(scope="module")
def played(bench):
    """A lottery of trainings that are two evaluations long, and what it compiled."""

    def fit(params, mask, index, control):
        return bench.run(SEEDS, params=params, mask=mask, evaluations=2)

    before = training.compilations()

    def chosen(params, mask, index):
        kept = {name: kept_count(int(m[0].sum()), 0.3) for name, m in mask.items()}
        keys = training.member_keys(SEEDS, "pruning")
        batch = Batch(bench.train, jnp.arange(10))
        return criteria.chosen(
            Criterion(), bench.model, params, mask, kept, keys, batch, chunk=len(SEEDS)
        )

    do = Operations(fit, chosen, lambda mask, index: mask, lambda index: bench.initial(SEEDS))
    settings = Lottery(rounds=3, rate=0.3, controls=("reinitialised",))
    rounds = lottery.play(settings, bench.initial(SEEDS), do)
    return list(rounds), training.compilations() - before


def test_all_seeds_and_all_rounds_of_a_lottery_are_one_compilation(played):
    rounds, compiled = played
    assert len(rounds) == 7
    assert compiled == 1


def test_a_snapshot_is_the_weights_of_that_step(bench, trained, played):
    """Equal to a run that stops there, and the run goes on as if none had been taken."""
    found, stopped = bench.run(snapshot=2), played[0][0].state
    assert_close(found.earlier, stopped.params)
    assert_close(found.state.params, trained.state.params, rtol=0, atol=0)


def test_the_snapshot_of_step_0_is_the_masked_initialisation(bench, half_mask):
    initial = bench.initial(SEEDS)
    earlier = bench.run(mask=half_mask).earlier
    for name, values in earlier.items():
        expected = np.asarray(initial[name]) * np.asarray(half_mask.get(name, True))
        np.testing.assert_array_equal(values, expected)


def test_initial_weights_and_masks_are_not_used_up(bench):
    """The state is donated from step to step; what the caller holds is not."""
    initial = bench.initial(SEEDS)
    mask = dense_mask(initial)
    first, second = (bench.run(params=initial, mask=mask).state for _ in range(2))
    assert_close(second.params, first.params, rtol=0, atol=0)
    assert all(not leaf.is_deleted() for leaf in jax.tree.leaves((initial, mask)))


def test_examples_beyond_the_training_size_are_never_read(bench):
    poisoned = bench.train._replace(inputs=bench.train.inputs.at[60:].set(jnp.nan))
    clean = bench.run(train_size=60).state
    state = bench.run(train=poisoned, train_size=60).state
    assert_close(state.params, clean.params, rtol=0, atol=0)
    assert np.all(np.asarray(bench.run(train=poisoned).state.diverged))


def test_progress_is_told_from_the_first_evaluation_to_the_last(bench):
    told = []

    def progress(done, seen):
        losses = np.asarray(seen.curve.validation_loss)
        assert np.all(np.isfinite(losses[:, :done]))
        assert np.all(np.isnan(losses[:, done:]))
        told.append(done)

    bench.run(progress=progress)
    assert told[0] == 1
    assert told[-1] == 6
    assert told == sorted(set(told))


def test_numbers_are_no_part_of_the_program(bench, half_mask, trained):
    """Neither rates nor sizes, lengths or masks, nor when a snapshot is taken."""
    before = training.compilations()
    bench.run(learning_rate=0.5)
    bench.run(weight_decay=0.1)
    bench.run(every=3)
    bench.run(train_size=25)
    bench.run(mask=half_mask)
    bench.run(range(7, 11), snapshot=4)
    assert training.compilations() == before


def test_a_few_examples_are_learnt_by_heart(bench):
    """20 examples, 12 hidden units, 1200 steps: no bit of loss is left."""
    state = bench.run(train_size=20, every=200, learning_rate=0.03).state
    assert np.all(np.asarray(state.curve.train_loss)[:, -1] < 0.01)
    assert np.all(np.asarray(state.curve.train_accuracy)[:, -1] == 1)


def test_keys_are_of_a_seed_a_stream_and_an_index():
    def words(*arguments):
        return {tuple(key) for key in np.asarray(jax.random.key_data(member_keys(*arguments)))}

    crowd = words(range(5), "order")
    assert words([3], "order") < crowd
    assert len(crowd) == 5
    for other in (
        words(range(5), "initial"),
        words(range(5), "order", 1),
        words(range(5), "redro"),
    ):
        assert not crowd & other


@pytest.mark.parametrize("members", [1, 4, 7, 12])
def test_small_networks_train_together_and_large_ones_alone(members):
    small = {"w": jax.ShapeDtypeStruct((10, 10), jnp.float32)}
    large = {"w": jax.ShapeDtypeStruct((4096, 4096), jnp.float32)}
    assert chunk_size(members, small) == members
    assert chunk_size(members, large) == 1


def test_chunks_divide_the_members_and_shrink_with_the_network():
    chunks = [
        chunk_size(12, {"w": jax.ShapeDtypeStruct((2**i,), jnp.float32)}) for i in range(5, 28)
    ]
    assert all(12 % chunk == 0 for chunk in chunks)
    assert chunks == sorted(chunks, reverse=True)
