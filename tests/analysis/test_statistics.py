"""Statistics over seeds against numbers worked by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from capacity.analysis.statistics import (
    alive,
    over_seeds,
    pareto,
    set_apart,
    split_controls,
    tickets,
)


def networks(accuracy, control="ticket", diverged=False, trial="t"):
    """Rows of one trial from accuracies [round][seed]."""
    return pd.DataFrame(
        [
            {
                "trial": trial,
                "seed": seed,
                "round": r,
                "control": control,
                "diverged": diverged,
                "validation_accuracy": a,
            }
            for r, seeds in enumerate(accuracy)
            for seed, a in enumerate(seeds)
        ]
    )


def test_mean_and_standard_error_by_hand():
    frame = pd.DataFrame({"g": ["b"] * 3 + ["a"] * 2, "v": [1.0, 2.0, 6.0, 5.0, np.nan]})
    table = over_seeds(frame, "v", ["g"])
    assert list(table["g"]) == ["b", "a"]
    assert list(table["mean"]) == [3.0, 5.0]
    assert table["error"][0] == pytest.approx(np.sqrt(7 / 3))  # deviations -2 -1 3: 14 / 2 / 3
    assert np.isnan(table["error"][1])  # one seed says nothing of the spread
    assert list(table["low"]) == [1.0, 5.0]
    assert list(table["high"]) == [6.0, 5.0]
    assert list(table["count"]) == [3, 1]


@given(st.permutations(range(6)))
def test_the_order_of_rows_does_not_matter(order):
    frame = networks([[0.5, 0.75, 1.0], [0.25, 0.5, 0.75]]).iloc[order]
    table = over_seeds(frame, "validation_accuracy", ["round"]).sort_values("round")
    assert list(table["mean"]) == [0.75, 0.5]


def test_the_ticket_is_the_sparsest_round_within_one_standard_error():
    dense = [0.90, 0.92, 0.94]  # mean 0.92, error 0.02 / sqrt(3) = 0.0115
    frame = networks([dense, [0.80] * 3, [0.909] * 3, [0.908] * 3])
    assert tickets(frame) == {"t": 2}
    assert tickets(frame[frame["seed"] == 1]) == {"t": 0}  # one seed: no tolerance


def test_tickets_leave_out_controls_and_what_diverged():
    frame = networks([[0.9], [0.8], [0.95]])
    control = networks([[0.9]], control="reinitialised").assign(round=5)
    frame.loc[2, "diverged"] = True
    assert tickets(pd.concat([frame, control])) == {"t": 0}
    assert tickets(frame[frame["round"] > 0]) == {}


def test_alive_counts_what_it_leaves_out():
    frame = networks([[0.9, 0.8]])
    frame.loc[1, "diverged"] = True
    known, diverged = alive(frame)
    assert list(known["seed"]) == [0]
    assert diverged == 1


def test_controls_become_trials_of_their_own():
    frame = pd.concat([networks([[0.9]]), networks([[0.8]], control="reinitialised")])
    assert list(split_controls(frame)["trial"]) == ["t", "t~reinitialised"]


def test_pareto_front_by_hand():
    cost, value = np.array([3.0, 1.0, 2.0, 2.0, 4.0]), np.array([0.7, 0.5, 0.6, 0.7, 0.9])
    assert list(pareto(cost, value)) == [1, 3, 4]


POINTS = arrays(float, st.integers(1, 12), elements=st.integers(0, 5).map(float))


@given(POINTS, st.randoms(use_true_random=False))
def test_the_front_is_what_no_point_beats(cost, random):
    value = np.array(random.sample(list(cost), len(cost)))
    front = {(cost[i], value[i]) for i in pareto(cost, value)}
    points = list(zip(cost, value, strict=True))
    best = {p for p in points if not any(q[0] <= p[0] and q[1] >= p[1] and q != p for q in points)}
    assert front == best
    assert len(front) == len(pareto(cost, value))


def test_equal_values_are_set_apart_about_their_middle():
    x = pd.Series([100.0, 1000.0, 100.0, 100.0], index=list("abcd"))
    places = np.log10(set_apart(x))
    assert places["b"] == pytest.approx(3)
    assert places["c"] == pytest.approx(2)
    assert places["d"] - places["c"] == pytest.approx(0.025)
    assert places["c"] - places["a"] == pytest.approx(0.025)


@given(st.lists(st.sampled_from([100.0, 110.0, 300.0]), min_size=1, max_size=40))
def test_groups_that_are_set_apart_stay_apart(values):
    x = pd.Series(values)
    places = set_apart(x)
    for low, high in ((100.0, 110.0), (110.0, 300.0), (100.0, 300.0)):
        if low in values and high in values:
            assert places[x == low].max() < places[x == high].min()
