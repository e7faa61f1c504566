"""Figures through what they draw: lines are means of the rows, whatever the size of a sweep."""

import dataclasses
import io

import numpy as np
import pandas as pd
import pytest

from capacity.analysis import (
    accuracy_density,
    accuracy_weights,
    capacity_information,
    size_accuracy,
    style,
    training_curves,
    weight_data,
)
from capacity.analysis.looks import looks
from capacity.analysis.statistics import split_controls
from tests.analysis.sample import rows

FIRST = "digits-mlp-w16-d2-n0"


def frames(**options):
    networks, _, curves, _, _ = (
        pd.DataFrame([dataclasses.asdict(row) for row in part]) for part in rows(**options)
    )
    networks = networks.astype({"coded_size": "Int64"})  # as the store reads it
    return networks, curves, pd.DataFrame({"trial": networks["trial"].unique()})


@pytest.fixture(scope="module")
def usual():
    return frames(rounds=5, controls=True)


def lines(figure, panel=0):
    return {str(line.get_label()): line for line in figure.axes[panel].lines}


def notes(figure):
    return figure.get_supxlabel()


def mean(frame, column, **where):
    for name, value in where.items():
        frame = frame[frame[name] == value]
    return frame[~frame["diverged"]][column].astype(float).mean()


def test_accuracy_lines_are_means_over_seeds_densest_at_the_left(usual):
    networks, _, trials = usual
    figure = accuracy_density.figure(networks, trials)
    line = lines(figure)[FIRST]
    assert list(line.get_xdata()) == pytest.approx([0.8**r for r in range(5)])
    wanted = [
        mean(networks, "test_accuracy", trial=FIRST, round=r, control="ticket") for r in range(5)
    ]
    assert list(line.get_ydata()) == pytest.approx(wanted)
    axes = figure.axes[0]
    left, right = axes.get_xlim()
    assert left > 1 > right > 0
    assert axes.get_xlabel() == "Density $s$"
    assert axes.get_ylabel() == r"Test accuracy $a_\mathrm{test}$"
    assert "2 of 162 networks diverged and are left out" in notes(figure)


def test_a_control_has_the_colour_of_its_trial_and_dashes(usual):
    networks, _, trials = usual
    drawn = lines(accuracy_density.figure(networks, trials))
    ticket, control = drawn[FIRST], drawn[f"{FIRST}~reinitialised"]
    assert ticket.get_color() == control.get_color()
    assert (ticket.get_linestyle(), control.get_linestyle()) == ("-", "--")
    assert len({line.get_color() for line in drawn.values()}) == 6


def test_sparse_networks_stand_over_their_weights_and_dense_ones_are_joined(usual):
    networks, _, trials = usual
    drawn = lines(accuracy_weights.figure(networks, trials))
    first = drawn[FIRST]
    wanted = [mean(networks, "remaining", trial=FIRST, round=r, control="ticket") for r in range(5)]
    assert sorted(first.get_xdata()) == pytest.approx(sorted(wanted))
    assert "dense" not in drawn  # two levels of noise are not comparable
    quiet = networks[networks["label_noise"] == 0]
    joined = lines(accuracy_weights.figure(quiet, trials))["dense"]
    assert list(joined.get_xdata()) == sorted(quiet["parameters"].unique())


def test_the_front_is_never_below_a_mean(usual):
    networks, _, trials = usual
    drawn = lines(size_accuracy.figure(networks, trials))
    front = drawn.pop("front")
    size, accuracy = np.asarray(front.get_xdata()), np.asarray(front.get_ydata())
    assert (np.diff(size) > 0).all()
    assert (np.diff(accuracy) > 0).all()
    paths = [line for name, line in drawn.items() if name.startswith("digits")]
    assert len(paths) == 12
    for line in paths:
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True):
            assert y <= accuracy[size <= x].max()


def test_weight_bits_stand_above_label_bits_and_the_floor_is_marked(usual):
    networks, _, trials = usual
    figure = weight_data.figure(networks, trials)
    noisy = "digits-mlp-w64-d2-n0.2"
    line = lines(figure)[noisy]
    wanted = [
        mean(networks, "weight_bits", trial=noisy, round=r, control="ticket") for r in range(5)
    ]
    assert list(line.get_ydata()) == pytest.approx(wanted)
    assert np.log10(line.get_xdata()[0] / (1438 * 3.3219)) == pytest.approx(0, abs=0.13)
    bars = [bar for bar in figure.axes[0].lines if bar.get_marker() == "_"]
    floor = 1438 * (-0.8 * np.log2(0.8) - 0.2 * np.log2(0.2 / 9))
    assert [bar.get_ydata()[0] for bar in bars] == pytest.approx(
        [floor] * 3
    )  # clean ones have none
    assert figure.axes[0].get_xlabel() == r"Label bits $N\,H(Y)$ (bits)"


def test_coded_bits_are_eight_times_the_bytes(usual):
    networks, _, trials = usual
    figure = capacity_information.figure(networks, trials)
    dense = mean(networks, "coded_size", trial=FIRST, round=0)
    assert lines(figure)[FIRST].get_ydata()[0] == pytest.approx(8 * dense)
    assert figure.axes[0].get_ylabel() == r"Coded size $8\,|f|$ (bits)"


def test_training_curves_are_means_of_the_dense_and_the_last_round(usual):
    networks, curves, trials = usual
    figure = training_curves.figure(networks, curves, trials)
    assert [ax.get_title() for ax in figure.axes] == ["Dense (round 0)", "Sparsest (round 4)"]
    ticket = curves[(curves["trial"] == FIRST) & (curves["control"] == "ticket")]
    at = ticket[(ticket["round"] == 4) & (ticket["step"] == 900)]
    wanted = at["validation_loss"][at["seed"] < 2].mean()  # the last seed diverged
    line = lines(figure, panel=1)[FIRST]
    assert line.get_xdata()[-1] == 900
    assert line.get_ydata()[-1] == pytest.approx(wanted)


@pytest.mark.parametrize(
    "options",
    [
        {"widths": (16,), "noises": (0.0,), "seeds": 1, "rounds": 1, "diverged": False},
        {"widths": (16,), "noises": (0.0,), "seeds": 1, "rounds": 1, "diverged": True},
        {"rounds": 1},
        {"widths": range(4, 100, 4), "noises": (0.0, 0.1), "seeds": 2, "rounds": 2},
    ],
    ids=["one network", "none alive", "dense only", "48 trials"],
)
def test_every_figure_of_every_size_of_sweep_can_be_drawn(options):
    networks, curves, trials = frames(**options)
    with style.page():
        for figure in (
            accuracy_density.figure(networks, trials),
            size_accuracy.figure(networks, trials),
            weight_data.figure(networks, trials),
            capacity_information.figure(networks, trials),
            training_curves.figure(networks, curves, trials),
        ):
            figure.savefig(io.BytesIO(), format="png", dpi=30)
            legend = figure.legends[0]
            assert len(legend.get_texts()) <= 16
            box = legend.get_window_extent()
            assert box.y0 >= 0
            assert box.x1 <= figure.bbox.x1


def test_trials_are_told_apart_by_what_varies():
    networks, _, trials = frames(rounds=1)
    names = {t: look.label for t, look in looks(networks, trials).of.items()}
    assert names[FIRST] == r"$w$ = 16, $\eta$ = 0"
    one = networks[networks["trial"] == FIRST]
    assert looks(one, trials).of[FIRST].label == FIRST
    twin = one.assign(trial="slow")
    settings = pd.DataFrame({"trial": [FIRST, "slow"], "training.learning_rate": [0.1, 0.01]})
    both = looks(pd.concat([one, twin]), settings).of
    assert both["slow"].label == "learning rate = 0.01"
    assert both["slow"].colour != both[FIRST].colour


def test_what_a_trial_was_padded_to_tells_no_trials_apart():
    """Padding follows from what does: schedules whose masks move are not padded."""
    networks, _, _ = frames(rounds=1)
    one = networks[networks["trial"] == FIRST]
    settings = pd.DataFrame(
        {
            "trial": [FIRST, "moving"],
            "training.pad": [48.0, None],
            "pruning.method": ["magnitude", "rigl"],
        }
    )
    both = looks(pd.concat([one, one.assign(trial="moving")]), settings).of
    assert both["moving"].label.endswith("= rigl")


def test_a_control_is_named_after_what_it_is():
    networks, _, trials = frames(rounds=2, controls=True)
    seen = looks(split_controls(networks), trials)
    assert seen.of[f"{FIRST}~reinitialised"].label == r"$w$ = 16, $\eta$ = 0, reinitialised"
    assert len(seen.entries) == 7
