"""Lottery tickets with a training that is played: what is rewound, what is pruned, by what."""

from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import criteria
from capacity.criteria import Batch, Criterion
from capacity.lottery import REINITIALISED, TICKET, Lottery, Operations, dense_mask, levels, play
from capacity.models import Model
from capacity.training import Curve, Examples, Snapshot, State, Watched

MEMBERS = 2
SHAPES = {
    "layers/0/kernel": (5, 20),
    "layers/0/bias": (20,),
    "output/kernel": (20, 2),
    "output/bias": (2,),
}
KERNELS = ("layers/0/kernel", "output/kernel")
ZERO, ONE = jnp.float32(0), jnp.float32(1)


def drawn(seed):
    draw = np.random.default_rng(seed)
    return {n: jnp.asarray(draw.normal(size=(MEMBERS, *s)), jnp.float32) for n, s in SHAPES.items()}


class Call(NamedTuple):
    """What a training was asked for, and what it gave."""

    params: dict
    mask: dict
    number: int
    control: str
    snapshot: Snapshot


def played(lottery, rewound=None):
    """Rounds and calls of a lottery whose trainings end in other weights each time.

    `rewound` is the snapshot of the dense round; the masked initial weights without.
    """
    calls = []

    def fit(params, mask, index, control):
        last, best = drawn(100 + len(calls)), drawn(200 + len(calls))
        state = State(
            last,
            (),
            best,
            jnp.zeros(MEMBERS, jnp.int32),
            Curve(*[jnp.zeros((2, 1))] * 4),
            jnp.zeros(MEMBERS),
            Watched({}, {}),
        )
        earlier = {n: p * mask[n] if n in mask else p for n, p in params.items()}
        snapshot = Snapshot(state, rewound if rewound and index == 0 else earlier)
        calls.append(Call(params, mask, index, control, snapshot))
        return snapshot

    with jax.numpy_dtype_promotion("standard"):
        rounds = list(play(lottery, drawn(0), operations(lottery, fit)))
    return rounds, calls


def operations(lottery, fit):
    """By magnitude; random masks by the first weights of a tensor."""
    sizes = {name: int(np.prod(SHAPES[name])) for name in KERNELS}
    kept = levels(lottery, sizes, {name: SHAPES[name] for name in KERNELS}, least=0)
    nothing = Model(lambda key: {}, lambda params, x: (x, {}), (5,))
    batch = Batch(Examples(jnp.zeros((1, 5)), jnp.zeros(1, jnp.int32), ZERO, ONE), jnp.arange(1))

    def chosen(params, mask, index):
        keys = jax.random.split(jax.random.key(index), MEMBERS)
        method = Criterion("random" if lottery.schedule == "dynamic" else "magnitude", least=0)
        return criteria.chosen(
            method, nothing, params, mask, kept[index], keys, batch, chunk=MEMBERS
        )

    def shuffled(mask, index):
        return criteria.shuffled(mask, jax.random.split(jax.random.key(90 + index), MEMBERS))

    return Operations(fit, chosen, shuffled, lambda index: drawn(50 + index))


def kept(mask):
    return {name: [int(np.sum(m)) for m in np.asarray(mask[name])] for name in mask}


def equal(found, expected):
    assert set(found) == set(expected)
    for name in found:
        np.testing.assert_array_equal(found[name], expected[name])


def test_learning_rate_rewinding_goes_on_from_what_is_left():
    _, calls = played(Lottery(rounds=2, rate=0.3, rewind="learning-rate"))
    for before, after in pairwise(calls):
        for name, weights in before.snapshot.state.params.items():
            np.testing.assert_array_equal(after.params[name], weights)


def test_a_round_for_the_dense_network_and_one_for_every_pruning():
    rounds, calls = played(Lottery(rounds=3, rate=0.2))
    assert [(r.number, r.control) for r in rounds] == [(i, TICKET) for i in range(4)]
    assert [(c.number, c.control) for c in calls] == [(i, TICKET) for i in range(4)]
    for each, call in zip(rounds, calls, strict=True):
        assert each.state is call.snapshot.state
        equal(each.mask, call.mask)


def test_no_rounds_is_one_dense_training():
    rounds, _ = played(Lottery(rounds=0, rate=0.2))
    assert kept(rounds[0].mask) == {"layers/0/kernel": [100, 100], "output/kernel": [40, 40]}


def test_only_kernels_are_pruned():
    assert set(dense_mask(drawn(0))) == set(KERNELS)
    assert all(np.all(m) for m in dense_mask(drawn(0)).values())


def test_tickets_restart_from_the_initial_weights_bit_for_bit():
    """A training starts where the mask is one, and puts zero elsewhere (tested with training)."""
    _, calls = played(Lottery(rounds=3, rate=0.3))
    for call in calls:
        equal(call.params, drawn(0))
        for name in KERNELS:
            mask = np.asarray(call.mask[name])
            rewound = np.asarray(call.snapshot.earlier[name])
            np.testing.assert_array_equal(rewound[mask], np.asarray(drawn(0)[name])[mask])
            assert not np.any(rewound[~mask])


def test_tickets_restart_from_the_snapshot_of_the_dense_round():
    """Rewinding to step k: every round starts from the same weights, its own never."""
    _, calls = played(Lottery(rounds=3, rate=0.3), rewound=drawn(7))
    equal(calls[0].params, drawn(0))
    for call in calls[1:]:
        equal(call.params, drawn(7))


def test_every_round_keeps_the_exact_share():
    rounds, _ = played(Lottery(rounds=3, rate=0.2, output_rate=0.1))
    assert [kept(r.mask) for r in rounds] == [
        {"layers/0/kernel": [n] * MEMBERS, "output/kernel": [m] * MEMBERS}
        for n, m in [(100, 40), (80, 36), (64, 32), (51, 29)]
    ]


def test_convolutions_may_have_a_rate_of_their_own():
    shapes = {"layers/0/kernel": (5, 5, 1, 4), "layers/1/kernel": (20, 5), "output/kernel": (10, 4)}
    sizes = {"layers/0/kernel": 100, "layers/1/kernel": 100, "output/kernel": 40}
    found = levels(Lottery(2, 0.2, convolution_rate=0.1), sizes, shapes, 1)
    assert [list(kept.values()) for kept in found] == [[100, 100, 40], [90, 80, 32], [81, 64, 26]]


def test_without_a_rate_of_its_own_the_output_is_pruned_as_the_rest():
    rounds, _ = played(Lottery(rounds=1, rate=0.5))
    assert kept(rounds[1].mask) == {"layers/0/kernel": [50, 50], "output/kernel": [20, 20]}


def test_a_global_lottery_keeps_the_exact_share_of_all_weights():
    rounds, _ = played(Lottery(rounds=3, rate=0.2, allocation="global"))
    sums = [[sum(m) for m in zip(*kept(r.mask).values(), strict=True)] for r in rounds]
    assert sums == [[n] * MEMBERS for n in (140, 112, 90, 72)]
    assert len({kept(rounds[3].mask)["output/kernel"][m] for m in range(MEMBERS)} | {20}) > 1


@pytest.mark.parametrize("allocation", ["layerwise", "global", "erk"])
def test_masks_only_shrink(allocation):
    rounds, _ = played(Lottery(rounds=4, rate=0.4, allocation=allocation))
    for before, after in pairwise(rounds):
        assert all(not np.any(after.mask[name] & ~before.mask[name]) for name in KERNELS)


def test_the_last_weights_decide_and_not_the_best():
    rounds, calls = played(Lottery(rounds=1, rate=0.25))
    state = calls[0].snapshot.state

    def largest(params, name, count):
        weights = np.abs(np.asarray(params[name])).reshape(MEMBERS, -1)
        mask = np.zeros(weights.shape, bool)
        np.put_along_axis(mask, np.argsort(-weights, axis=1)[:, :count], True, axis=1)
        return mask.reshape(params[name].shape)

    for name, count in (("layers/0/kernel", 75), ("output/kernel", 30)):
        np.testing.assert_array_equal(rounds[1].mask[name], largest(state.params, name, count))
        assert np.any(np.asarray(rounds[1].mask[name]) != largest(state.best, name, count))


def test_controls_share_the_mask_and_nothing_else():
    rounds, calls = played(Lottery(rounds=2, rate=0.3, controls=(REINITIALISED,)))
    order = [(0, TICKET), (1, TICKET), (1, REINITIALISED), (2, TICKET), (2, REINITIALISED)]
    assert [(r.number, r.control) for r in rounds] == order
    for ticket, control in ((calls[1], calls[2]), (calls[3], calls[4])):
        equal(control.mask, ticket.mask)
        equal(control.params, drawn(50 + control.number))
        equal(ticket.params, drawn(0))


def test_a_round_knows_the_weights_that_were_drawn_for_it():
    """Whatever a ticket is rewound to; a control was drawn anew."""
    rounds, _ = played(Lottery(rounds=2, rate=0.5, controls=(REINITIALISED,)), rewound=drawn(7))
    for each in rounds:
        fresh = each.control == REINITIALISED
        equal(each.initial, drawn(50 + each.number) if fresh else drawn(0))


def test_controls_decide_no_mask():
    """With and without them the tickets are the same, as long as their trainings are."""
    rounds, calls = played(Lottery(rounds=2, rate=0.3, controls=(REINITIALISED,)))
    last = calls[1].snapshot.state.params  # of the first ticket, not of its control
    weights = np.abs(np.asarray(last["output/kernel"])).reshape(MEMBERS, -1)
    first, second = (
        np.asarray(rounds[i].mask["output/kernel"]).reshape(MEMBERS, -1) for i in (1, 3)
    )
    for member in range(MEMBERS):
        pruned = first[member] & ~second[member]
        assert weights[member][pruned].max() <= weights[member][second[member]].min()


def test_a_round_is_given_as_soon_as_it_is_trained():
    """So that a sweep that is killed keeps the rounds before."""
    trained = []

    def fit(params, mask, index, control):
        trained.append(index)
        state = State(
            params,
            (),
            params,
            jnp.zeros(MEMBERS, jnp.int32),
            Curve(*[jnp.zeros((2, 1))] * 4),
            jnp.zeros(MEMBERS),
            Watched({}, {}),
        )
        return Snapshot(state, params)

    settings = Lottery(rounds=2, rate=0.3)
    rounds = play(settings, drawn(0), operations(settings, fit))
    assert next(rounds).number == 0
    assert trained == [0]
