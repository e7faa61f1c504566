"""The table of critical sparsities: a crossing by hand, bounds, controls, what is left out."""

import numpy as np
import pandas as pd
import pytest

from capacity.analysis.critical import critical, text

SPREAD = np.array([-0.01, 0.0, 0.01])  # of three seeds: a standard error of 0.01 / sqrt(3)
ERROR = 0.01 / np.sqrt(3)


def networks(means, densities=(1.0, 0.5, 0.25, 0.1), control="ticket", trial="t"):
    """Rounds 0, 1, ... of three seeds with the same spread about their means."""
    return pd.DataFrame(
        [
            {
                "trial": trial,
                "seed": seed,
                "round": r,
                "control": control if r else "ticket",
                "density": density,
                "remaining": int(1000 * density),
                "diverged": False,
                "test_accuracy": mean + SPREAD[seed],
            }
            for r, (mean, density) in enumerate(zip(means, densities, strict=True))
            for seed in range(3)
        ]
    )


def test_the_crossing_is_between_the_last_within_and_the_next():
    """From 0.90 at 75 % to 0.88 at 90 %: the tolerance of 0.00577 is met 0.289 of the way."""
    (row,) = critical(networks([0.9, 0.9, 0.9, 0.88])).to_dict("records")
    share = ERROR / 0.02
    assert row["sparsity"] == pytest.approx(0.75 + 0.15 * share)
    assert row["tolerance"] == pytest.approx(ERROR)
    assert row["weights"] == pytest.approx(250 - 150 * share)
    assert row["low"] <= row["sparsity"] <= row["high"]
    assert "0.793" in text(critical(networks([0.9, 0.9, 0.9, 0.88])))


def test_a_round_that_no_seed_survives_is_a_fall():
    found = networks([0.9, 0.9, 0.9, 0.9])
    found.loc[found["round"] == 3, ["diverged", "test_accuracy"]] = [True, np.nan]
    (row,) = critical(found).to_dict("records")
    assert row["verdict"] == "falls"
    assert 0.75 <= row["sparsity"] < 0.76
    assert row["seeds"] == 3


def test_bounds_are_told_as_such():
    assert ">= 0.900" in text(critical(networks([0.9, 0.9, 0.9, 0.9])))
    assert "<= 0.500" in text(critical(networks([0.9, 0.5, 0.5, 0.5])))


def test_controls_are_held_against_the_dense_networks_of_their_trial():
    dense = networks([0.9, 0.9, 0.9, 0.9])
    control = networks([0.9, 0.9, 0.5, 0.5], control="random-mask")
    found = critical(pd.concat([dense, control[control["round"] > 0]]))
    assert list(found["control"]) == ["ticket", "random-mask"]
    assert found["sparsity"].iloc[1] < 0.6
    assert "t, random-mask" in text(found)


def test_small_dense_networks_have_no_critical_sparsity():
    small = networks([0.9, 0.8, 0.8, 0.8], densities=(1.0,) * 4, control="small-dense")
    assert critical(small).empty


def test_a_seed_that_diverged_is_in_no_mean():
    rows = networks([0.9, 0.9, 0.9, 0.9])
    rows.loc[(rows["seed"] == 0) & (rows["round"] == 3), ["diverged", "test_accuracy"]] = (
        True,
        np.nan,
    )
    assert critical(rows)["seeds"].iloc[0] == 2


def test_without_rounds_or_with_one_seed_there_is_none():
    assert critical(networks([0.9], densities=(1.0,))).empty
    alone = networks([0.9, 0.8, 0.7, 0.6])
    assert critical(alone[alone["seed"] == 0]).empty
