"""The figure and the lines of a capacity sweep: means over seeds, a ring at the peak, the check."""

import pandas as pd
import pytest

from capacity.analysis import memorised
from capacity.rows import CapacityRow
from capacity.rows.columns import columns

# 10 weights; two seeds at 5, 20 and 40 bits of labels, with 100 steps and again with 200
HELD = {5: (5.0, 5.0), 20: (17.0, 19.0), 40: (11.0, 13.0)}


def capacity(trial):
    kinds = {int: 0, float: 0.0, bool: False, str: ""}
    row = {name: kinds[c.type] for name, c in columns(CapacityRow).items()}
    usual = {"trial": trial, "steps": 100, "parameters": 10, "capacity": 18.0, "knee_size": 20}
    return row | usual | {"capacity_low": 17.0, "capacity_high": 19.0, "bits_per_parameter": 1.8}


@pytest.fixture(scope="module")
def frames():
    rows = [
        {
            "trial": "w4",
            "seed": seed,
            "steps": steps,
            "train_size": size,
            "label_bits": float(size),
            "memorised_bits": held if steps == 100 else size,
            "diverged": False,
        }
        for steps in (100, 200)
        for size, pair in HELD.items()
        for seed, held in enumerate(pair)
    ]
    row = capacity("w4") | {"width": 4.0, "doubled_capacity": 18.9, "converged": False}
    return pd.DataFrame(rows), pd.DataFrame([row]), pd.DataFrame({"trial": ["w4"]})


def test_the_line_is_the_mean_over_seeds_per_weight_and_the_check_is_left_out(frames):
    (ax,) = memorised.figure(*frames).axes
    line, ring, identity = ax.lines
    assert list(line.get_xdata()) == [0.5, 2.0, 4.0]
    assert list(line.get_ydata()) == pytest.approx([0.5, 1.8, 1.2])
    assert [*ring.get_xdata(), *ring.get_ydata()] == pytest.approx([2.0, 1.8])
    assert list(identity.get_xdata()) == list(identity.get_ydata())


def test_one_seed_has_a_line_without_error_bars(frames):
    rows, capacities, trials = frames
    (ax,) = memorised.figure(rows[rows.seed == 0], capacities, trials).axes
    assert list(ax.lines[0].get_ydata()) == pytest.approx([0.5, 1.7, 1.1])


def test_a_seed_that_diverged_anywhere_is_left_out_everywhere(frames):
    rows, capacities, trials = frames
    lost = (rows.seed == 1) & (rows.train_size == 5) & (rows.steps == 100)
    empty = rows.assign(diverged=lost, memorised_bits=rows.memorised_bits.mask(lost))
    figure = memorised.figure(empty, capacities, trials)
    assert list(figure.axes[0].lines[0].get_ydata()) == pytest.approx([0.5, 1.7, 1.1])
    assert "1 of 6 networks diverged and are left out, with all" in figure.get_supxlabel()
    none = capacities.assign(capacity=None, at_edge=pd.NA, knee_size=pd.NA, bits_per_parameter=None)
    none = none.assign(capacity_low=None, capacity_high=None, doubled_capacity=None)
    assert memorised.text(none).splitlines()[2].split()[-5:] == ["-"] * 5
    memorised.figure(rows.assign(diverged=True, memorised_bits=None), none, trials)


def test_the_text_says_what_was_found_and_whether_it_holds(frames):
    _, capacities, _ = frames
    (line,) = memorised.text(capacities).splitlines()[2:]
    assert line.split() == [
        "w4",
        "10",
        "0",
        "20",
        "18",
        "17",
        "to",
        "19",
        "1.800",
        "+5.0",
        "%",
        "!",
    ]
    unchecked = capacities.assign(doubled_capacity=float("nan"), converged=None, at_edge=True)
    assert memorised.text(unchecked).splitlines()[2].endswith("-")
    assert "20 (largest)" in memorised.text(unchecked)
