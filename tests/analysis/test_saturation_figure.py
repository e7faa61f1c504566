"""The heat map: layers in their order, means over seeds, a row of panels for each trial."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from capacity.analysis import saturation
from tests.analysis.sample import rows

LAYERS = ("layers/0", "layers/1", "output")
STEPS = (100, 200, 400)


def seen(trials, rounds):
    """Saturation that tells layer, step and seed."""
    return pd.DataFrame(
        [
            {
                "trial": trial,
                "seed": seed,
                "round": r,
                "control": control,
                "layer": layer,
                "place": place,
                "step": step,
                "enough": True,
                "saturation": 0.1 * i + step / 1000 + 0.02 * seed,
            }
            for trial in trials
            for seed in (0, 1)
            for r in rounds
            for control in ("ticket", "reinitialised")[: 1 + (r > 0)]
            for place in ("before", "after")
            for i, layer in enumerate(LAYERS)
            for step in STEPS
        ]
    )


def drawn(count, rounds=(0, 1, 2)):
    networks, *_ = (
        pd.DataFrame([dataclasses.asdict(row) for row in part])
        for part in rows(widths=tuple(range(4, 4 + count)), noises=(0.0,), rounds=3)
    )
    trials = networks["trial"].unique()
    figure = saturation.figure(seen(trials, rounds), networks, pd.DataFrame({"trial": trials}))
    return figure, [ax for ax in figure.axes if ax.get_title()]


def test_colours_are_means_over_seeds_with_the_first_layer_on_top():
    _, (dense, sparsest) = drawn(1)
    wanted = [[0.1 * i + step / 1000 + 0.01 for step in STEPS] for i in range(3)]
    for panel in (dense, sparsest):
        (mesh,) = panel.collections
        np.testing.assert_allclose(np.asarray(mesh.get_array()), wanted)
    assert [label.get_text() for label in dense.get_yticklabels()] == list(LAYERS)
    assert dense.yaxis_inverted()
    assert dense.get_xlim() == (0, 400)
    assert dense.get_title().endswith(", dense")
    assert sparsest.get_title().endswith(", sparsest")


@pytest.mark.parametrize(("count", "shown"), [(2, 2), (9, saturation.MOST)])
def test_as_many_trials_as_a_page_holds(count, shown):
    figure, panels = drawn(count)
    assert len(panels) == 2 * shown
    text = figure.get_supxlabel()
    assert (f"{shown} of {count} trials" in text) == (count > shown)


def test_without_pruning_there_is_one_column():
    assert len(drawn(2, rounds=(0,))[1]) == 2
