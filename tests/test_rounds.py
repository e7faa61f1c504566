"""Rounds of a real subject: every schedule's counts and starts, controls, and what is refused."""

import jax
import numpy as np
import pytest

from capacity import training
from capacity.config import Config
from capacity.lottery import remaining
from capacity.measured import pruning_measures
from capacity.rounds import rounds
from capacity.subject import TrialError, check, prepare
from capacity.training import evaluate, members

SMALL = {
    "data": {"name": "digits", "train_size": 200},
    "model": {"width": 8.0, "depth": 1},
    "training": {"steps": 40, "evaluate_every": 10, "batch_size": 20, "learning_rate": 0.01},
    "seeds": 2,
}


def config(**pruning):
    return Config.model_validate({**SMALL, "pruning": {"rounds": 1, "rate": 0.75, **pruning}})


def played(**pruning):
    subject = prepare(config(**pruning), "trial")
    with jax.numpy_dtype_promotion("standard"):
        return [(of, each) for of, each in rounds(subject, None)]


def kept(found):
    return remaining(found[-1][1].mask)


@pytest.mark.parametrize(
    "pruning",
    [
        {"schedule": "one-shot"},
        {"schedule": "before-training"},
        {"schedule": "gradual", "update_every": 10},
        {"method": "movement", "update_every": 10},
        {"method": "rigl", "allocation": "layerwise", "update_every": 10},
        {"rewind": "fine-tuning"},
    ],
    ids=lambda pruning: "-".join(map(str, pruning.values())),
)
def test_every_schedule_arrives_at_the_counts_of_its_round(pruning):
    """A quarter of 512 and of 80; and what is pruned is zero in the end."""
    found = played(**pruning)
    assert [(each.number, each.control) for _, each in found] == [(0, "ticket"), (1, "ticket")]
    assert kept(found) == [{"layers/0/kernel": 128, "output/kernel": 20}] * 2
    last = found[-1][1]
    for name, mask in last.mask.items():
        assert not np.any(np.asarray(last.state.best[name])[~np.asarray(mask)])


def test_erk_keeps_more_of_small_layers():
    """Of 148 in all, 72 : 18 shares by inputs plus outputs: 118.4 and 29.6, rounded."""
    ((_, _), (_, last)) = played(allocation="erk")
    assert kept([(None, last)]) == [{"layers/0/kernel": 118, "output/kernel": 30}] * 2


def test_one_shot_prunes_the_dense_network_every_time():
    """The second round's mask is not within the first's mask only by chance: both are of dense."""
    found = played(schedule="one-shot", rounds=2, rate=0.5)
    weights = np.abs(np.asarray(found[0][1].state.params["layers/0/kernel"]))
    for index, count in ((1, 256), (2, 128)):
        mask = np.asarray(found[index][1].mask["layers/0/kernel"])
        for m, w in zip(mask, weights, strict=True):
            assert w[m].min() >= w[~m].max()
            assert m.sum() == count


CONTROLS = ("reinitialised", "random-mask", "random-ticket", "sibling", "small-dense")


@pytest.fixture(scope="module")
def controlled():
    return played(controls=CONTROLS)


def test_controls_follow_their_round(controlled):
    names = ["ticket", "ticket", *CONTROLS]
    assert [each.control for _, each in controlled] == names
    assert [each.number for _, each in controlled] == [0, *[1] * 6]


def test_random_masks_have_the_counts_of_every_layer(controlled):
    ticket = controlled[1][1]
    for index in (3, 4):
        control = controlled[index][1]
        assert remaining(control.mask) == remaining(ticket.mask)
        for name, mask in control.mask.items():
            assert np.any(np.asarray(mask) != np.asarray(ticket.mask[name]))


def test_the_small_dense_network_is_the_widest_that_is_no_larger(controlled):
    """166 weights and biases: width 2 has 64 x 2 + 2 + 2 x 10 + 10 = 160, width 3 has 235."""
    of, control = controlled[-1]
    assert of.config.model.width == 2.0
    assert sum(leaf[0].size for leaf in control.state.params.values()) == 160
    assert all(np.all(mask) for mask in control.mask.values())


def test_a_sibling_shares_its_start_and_not_its_order(controlled):
    of, sibling = controlled[5]
    ticket = controlled[1][1]
    for name, leaf in sibling.other.items():
        np.testing.assert_array_equal(leaf, ticket.state.params[name])
    assert np.any(np.asarray(sibling.state.params["output/bias"]) != sibling.other["output/bias"])
    rows = pruning_measures(of, sibling, members(sibling.state.best), members(sibling.mask))
    ends = ticket.state.params, sibling.state.params
    for seed, row in enumerate(rows):
        errors = []
        for alpha in np.linspace(0, 1, 32, dtype=np.float32):
            between = {n: (1 - alpha) * ends[0][n] + alpha * ends[1][n] for n in ends[0]}
            errors.append(1 - evaluate(of.model, between, of.test, chunk=1).accuracy[seed])
        expected = max(errors) - (errors[0] + errors[-1]) / 2
        assert row.barrier == pytest.approx(float(expected), abs=1e-6)


def test_a_small_dense_network_need_not_have_the_ticket_s_pattern():
    """Two layers of 24 units at 2:4 leave 1,176 weights; 13 units, which 4 does not divide, fit."""
    small = {**SMALL, "model": {"width": 24.0, "depth": 2}}
    pruned = {"rounds": 1, "pattern": "2:4", "controls": ("small-dense",)}
    subject = prepare(Config.model_validate({**small, "pruning": pruned}), "trial")
    with jax.numpy_dtype_promotion("standard"):
        of, control = list(rounds(subject, None))[-1]
    assert control.control == "small-dense"
    assert of.config.model.width % 4


def test_the_random_mask_of_units_is_of_units():
    found = played(method="unit-norm", rate=0.5, controls=("random-mask",))
    ticket, control = (np.asarray(each.mask["layers/0/kernel"]) for _, each in found[1:])
    for mask in (*ticket, *control):
        columns = mask.sum(axis=0)
        assert sorted(columns) == [0] * 4 + [64] * 4
    assert np.any(ticket != control)


def test_rounds_without_useless_units_are_the_same():
    """The second round trains 2 of 8 units: the same network, and another program."""
    pruning = {"method": "unit-norm", "rate": 0.5, "rounds": 2, "controls": ("random-mask",)}
    whole = played(narrow=False, **pruning)
    before = training.compilations()
    found = played(narrow=True, **pruning)
    assert training.compilations() == before + 2
    for (_, a), (_, b) in zip(found, whole, strict=True):
        for name, mask in a.mask.items():
            np.testing.assert_array_equal(mask, b.mask[name])
        # Sums are in another order.
        for name, leaf in a.state.params.items():
            np.testing.assert_allclose(leaf, b.state.params[name], rtol=1e-3, atol=1e-4)
    assert kept(found)[0]["layers/0/kernel"] == 64 * 2


def test_no_layer_is_emptied_while_all_compete_in_training():
    found = played(schedule="gradual", allocation="global", rate=0.98, least=5, update_every=10)
    for counts in kept(found):
        assert sum(counts.values()) == 12
        assert min(counts.values()) >= 5


def test_each_layer_keeps_the_least_that_is_asked_for():
    assert kept(played(rate=0.98, least=7)) == [{"layers/0/kernel": 10, "output/kernel": 7}] * 2


def test_a_ticket_and_its_sibling_are_fine_tuned_alike(monkeypatch):
    seen = []
    train = training.train_together

    def noted(requests):
        seen.extend(request.plan for request in requests)
        return train(requests)

    monkeypatch.setattr(training, "train_together", noted)
    played(rewind="fine-tuning", finetune_rate=0.1, controls=("sibling", "reinitialised"))
    rates = [float(plan.rates.learning_rate) for plan in seen]
    assert rates == pytest.approx([0.01, 0.001, 0.001, 0.01])


def test_what_a_mask_saves(controlled):
    """610 weights of which 166 stay; multiply-adds are those of 592 kernel weights, then of 148."""
    of, ticket = controlled[1]
    row = pruning_measures(of, ticket, members(ticket.state.best), members(ticket.mask))[0]
    assert row.compression == pytest.approx(610 / 166)
    assert row.multiply_adds == 592
    assert row.speed_up == pytest.approx(592 / 148)
    assert row.barrier is None
    assert 166 <= row.compact_parameters <= 610


REFUSED = {
    "a pattern that does not divide": (
        {"pattern": "3:5"},
        "pruning: layers/0/kernel of shape (64, 8): its 64 inputs cannot be grouped by 5",
    ),
    "a schedule longer than training": (
        {"schedule": "gradual", "update_every": 100},
        "pruning: an update every 100 steps: must be from 1 to 30, the schedule's length",
    ),
    "nothing dense is so small": (
        {"controls": ("small-dense",), "rate": 0.99},
        "pruning: small-dense: no dense mlp has as few as 24 weights",
    ),
    "units that are never idle": (
        {"method": "unit-saturation"},
        "pruning: method unit-saturation: a unit of gelu is neither off nor at a limit",
    ),
    "flow through normalisation": (
        {"method": "synflow"},
        "pruning: method synflow: normalised layers have no flow to preserve",
    ),
    "layers that would be emptied": (
        {"allocation": "global", "rate": 0.99, "least": 10},
        "pruning: 6 weights are to stay: fewer than 10 in each of 2 layers",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_refused_before_training(name):
    pruning, sentence = REFUSED[name]
    unusual = {"activation": "gelu", "layer_norm": True} if "method" in pruning else {}
    tried = Config.model_validate(
        {
            **SMALL,
            "model": SMALL["model"] | unusual,
            "pruning": {"rounds": 1, "rate": 0.75, **pruning},
        }
    )
    with pytest.raises(TrialError) as raised:
        check(tried)
    assert str(raised.value) == sentence
