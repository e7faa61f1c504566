"""Networks that code what they have not seen: no label leaks, one program, known laws of labels."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.information import (
    RAW,
    Tempering,
    block_code,
    final_bits,
    first_epoch_code,
    geometric_cuts,
    ledger,
)
from capacity.training import Budget, Rates, Recipe, Rule, ask, logits, member_keys, stage_steps
from capacity.training.examples import example_losses, pick
from capacity.training.growing import Stage, grown, held_back_loss, learner
from capacity.training.order import shuffled
from capacity.training.prequential import stage_compilations

RATES = Rates(jnp.float32(0.01), jnp.float32(0), jnp.int32(0), jnp.int32(1))
RECIPE = Recipe(Rule(batch_size=20))
CUTS = (10, 20, 40, 90)
CLASSES = 4
GROWN = jax.jit(grown, static_argnums=(0, 1))


def run(
    bench, seeds=range(4), *, train=None, cuts=CUTS, budget=None, rates=RATES, chunk=None, **kw
):
    return ask(
        bench.model,
        RECIPE,
        rates,
        budget or Budget(epochs=20),
        cuts,
        bench.train if train is None else train,
        bench.initial(seeds),
        member_keys(seeds, "order"),
        chunk=chunk or len(seeds),
        **kw,
    )


@pytest.fixture(scope="module")
def asked(bench):
    return run(bench)


def stage(train_size, seen, evaluations, every):
    return Stage(*(jnp.int32(number) for number in (train_size, seen, evaluations, every)))


def test_all_blocks_and_all_seeds_are_one_compilation(bench, asked):
    before = stage_compilations()
    run(bench, cuts=(5, 30, 60, 70, 90), budget=Budget(epochs=7, power=1.0, held_back=0.2))
    run(bench, budget=Budget(epochs=5, warm=False), rates=RATES._replace(steps=jnp.int32(9)))
    assert stage_compilations() == before


def test_a_population_equals_its_members_alone(bench, asked):
    together = run(bench, chunk=2)
    np.testing.assert_allclose(together.logits, asked.logits, rtol=1e-2, atol=1e-3)
    alone = run(bench, [2])
    np.testing.assert_allclose(alone.logits[0], asked.logits[2], rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("budget", [Budget(20), Budget(20, warm=False), Budget(20, held_back=0.2)])
def test_no_network_sees_a_label_before_it_has_coded_it(bench, budget):
    """Other labels from a cut on change nothing up to the next cut, and then something."""
    true = run(bench, budget=budget).logits
    for cut, after in itertools.pairwise(CUTS[:-1]):
        labels = (bench.train.labels + jnp.int32(jnp.arange(90) >= cut)) % CLASSES
        found = run(bench, train=bench.train._replace(labels=labels), budget=budget).logits
        until = after - CUTS[0]
        np.testing.assert_array_equal(found[:, :until], true[:, :until])
        assert np.any(found[:, until:] != true[:, until:])


def test_each_block_is_coded_by_the_network_that_its_stages_give(bench, asked):
    """By hand, member 1: grown stage by stage, asked at each cut."""
    state = learner({n: p[0] for n, p in bench.initial([1]).items()}, RECIPE.rule, RATES)
    key = member_keys([1], "order")[0]
    for (cut, after), steps in zip(itertools.pairwise(CUTS), asked.steps, strict=False):
        state = GROWN(
            bench.model, RECIPE, RATES, bench.train, stage(cut, cut, 1, steps), state, key
        )
        inputs, _ = pick(bench.train, jnp.arange(cut, after))
        said, _ = bench.model.apply(state.best, inputs)
        found = asked.logits[1, cut - CUTS[0] : after - CUTS[0]]
        np.testing.assert_allclose(found, said, rtol=1e-2, atol=1e-3)
    assert int(state.steps) == sum(asked.steps[:-1])


def test_the_average_gives_the_latest_of_t_weights_9_over_t_plus_8(bench):
    state = learner({n: p[0] for n, p in bench.initial([1]).items()}, RECIPE.rule, RATES)
    key = member_keys([1], "order")[0]
    mean = 0.0
    for t in range(1, 6):
        state = GROWN(bench.model, RECIPE, RATES, bench.train, stage(90, 90, 1, 1), state, key)
        weights = np.asarray(state.params["layers/0/kernel"], np.float64)
        mean = mean + 9 / (t + 8) * (weights - mean)
        np.testing.assert_allclose(state.average["layers/0/kernel"], mean, rtol=1e-5, atol=1e-6)


def test_the_best_average_is_that_of_the_smallest_held_back_loss(bench):
    """Rate 0.3 on 30 examples overfits; every evaluation is reached again by a shorter stage."""
    rates = RATES._replace(learning_rate=jnp.float32(0.3))
    key, losses, averages = member_keys([1], "order")[0], [], []
    for evaluations in range(1, 5):
        start = learner({n: p[0] for n, p in bench.initial([1]).items()}, RECIPE.rule, rates)
        now = stage(30, 90, evaluations, 10)
        state = GROWN(bench.model, RECIPE, rates, bench.train, now, start, key)
        loss, _ = example_losses(bench.model, state.average, *pick(bench.train, jnp.arange(30, 90)))
        losses.append(float(loss.sum()))
        averages.append(state.average)
        found = held_back_loss(bench.model, state.average, bench.train, now)
        assert float(found) == pytest.approx(losses[-1], rel=1e-4)
    assert np.argmin(losses) < 3
    best = averages[int(np.argmin(losses))]
    np.testing.assert_allclose(
        state.best["output/kernel"], best["output/kernel"], rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("power", [0.5, 0.7, 1.0])
@pytest.mark.parametrize("ratio", [2**0.25, 2.0])
def test_a_code_costs_less_than_one_full_run(power, ratio):
    """Warm: all steps, the last network's among them, are those of one run over all examples."""
    cuts, budget = geometric_cuts(60_000, 32, ratio), Budget(epochs=20, power=power)
    steps, full = stage_steps(cuts, budget, 64), 20 * 60_000 / 64
    assert sum(steps) == full
    assert sum(steps[:-1]) < full
    assert min(steps) >= 1


def test_a_code_from_new_weights_costs_up_to_one_and_a_half_full_runs():
    """Doubling cuts and steps in proportion: 65504 / 60000 of a run, and rounding."""
    budget = Budget(epochs=20, power=1.0, warm=False)
    steps = stage_steps(geometric_cuts(60_000), budget, 64)
    assert sum(steps[:-1]) / (20 * 60_000 / 64) == pytest.approx(65_504 / 60_000, rel=1e-3)


def test_random_labels_are_not_compressed(bench):
    """No code beats N log2 K by 10 bits but with probability 2^-10, and nothing generalises."""
    draw = np.random.default_rng(7)
    inputs = jnp.asarray(draw.normal(size=(900, 6)), jnp.float32)
    labels = jnp.asarray(draw.integers(0, CLASSES, 900), jnp.int32)
    one = bench.train._replace(inputs=inputs[:600], labels=labels[:600])
    test = bench.train._replace(inputs=inputs[600:], labels=labels[600:])
    cuts = geometric_cuts(600, 16, 2**0.5)
    found = run(bench, train=one, cuts=cuts)
    said, tests = (
        logits(bench.model, found.params, s, 0, len(s.labels), chunk=4) for s in (one, test)
    )
    for member in range(4):
        known, new = np.asarray(one.labels), np.asarray(test.labels)
        code = block_code(found.logits[member], known, cuts, Tempering())
        account = ledger(
            code,
            final_bits(said[member], known, code.weights, Tempering()),
            final_bits(tests[member], new, code.weights, Tempering()),
        )
        assert 1200 - 10 <= code.total <= 1200 + 10
        assert abs(account.generalising.value) <= 3 * account.generalising.standard_error
        raw = block_code(found.logits[member], known, cuts)
        assert raw.total > 1200 - 10


def test_constant_labels_cost_less_than_their_regret(bench):
    """A network that can learn nothing but shares beats their count (Krichevsky & Trofimov, 1981).

    That costs (K - 1) / 2 log2 n + log2(Gamma(1/2) / Gamma(K/2)) bits on top of nothing.
    """
    inputs = jnp.full_like(bench.train.inputs, bench.train.offset)
    one = bench.train._replace(inputs=inputs, labels=jnp.full((90,), 2, jnp.int32))
    found = run(bench, train=one, budget=Budget(epochs=200))
    count = (CLASSES - 1) / 2 * math.log2(90) + math.log2(math.gamma(0.5) / math.gamma(CLASSES / 2))
    uniform_block = 10 * 2
    for member in range(4):
        for tempering in (Tempering(), RAW):
            code = block_code(found.logits[member], np.full(90, 2), CUTS, tempering)
            assert code.total <= uniform_block + count


def test_rows_that_come_twice_cost_less_the_second_time(bench):
    """20 random labels are learnt by heart, then asked again: 40 bits the first time."""
    labels = jnp.asarray(np.random.default_rng(8).integers(0, CLASSES, 20), jnp.int32)
    twice = bench.train._replace(
        inputs=jnp.concatenate([bench.train.inputs[:20]] * 2), labels=jnp.tile(labels, 2)
    )
    rates = RATES._replace(learning_rate=jnp.float32(0.03))
    found = run(bench, train=twice, cuts=(20, 40), budget=Budget(epochs=600), rates=rates)
    code = block_code(found.logits[0], np.asarray(twice.labels), (20, 40))
    assert code.blocks[0] == 40
    assert code.blocks[1] < 1


def test_a_rule_is_learnt(bench, asked):
    """90 labels of a linear rule: 180 bits uniformly."""
    for member in range(4):
        assert block_code(asked.logits[member], np.asarray(bench.train.labels), CUTS).total < 140


def test_the_first_epoch_of_any_training_is_a_code(bench):
    """Each batch's loss under the weights that shorter trainings leave, before it is learnt."""
    # 90 labels are 4 batches of 20 and 10 labels; a fifth step and a second epoch code nothing.
    trained = bench.run(every=2, evaluations=4).state
    bits = first_epoch_code(np.asarray(trained.first_epoch), 80, 90, 4) - 10 * 2
    order = np.asarray(shuffled(member_keys([3], "order")[0], jnp.arange(90), jnp.int32(90)))
    assert len(set(order)) == 90
    total = 0.0
    for batch in range(4):
        params = bench.run(every=1, evaluations=4, snapshot=batch).earlier
        index = jnp.asarray(order[20 * batch : 20 * (batch + 1)])
        weights = jax.tree.map(lambda leaf: leaf[3], params)
        loss, _ = example_losses(bench.model, weights, *pick(bench.train, index))
        total += float(loss.sum()) / math.log(2)
    assert bits[3] == pytest.approx(total, rel=1e-5)


def test_a_training_within_its_first_epoch_codes_what_it_has_met(bench):
    state = bench.run(every=1, evaluations=4).state
    losses = np.asarray(state.curve.train_loss)
    assert np.asarray(state.first_epoch) == pytest.approx(20 * losses.sum(axis=1), rel=1e-5)


def test_progress_is_told_after_every_stage(bench):
    told = []
    found = run(bench, progress=lambda coded, steps: told.append((coded, steps)))
    assert [coded for coded, _ in told] == [20, 40, 90, 90]
    assert told[-1][1] == sum(found.steps)
