"""Critical sparsity against saturation: means by width, and only of what was watched and pruned."""

import pandas as pd
import pytest

from capacity.analysis import idle_capacity
from tests.analysis.test_critical_table import networks


def layers(trial, narrow, wide):
    """Two hidden layers of 10 and 30 units and an output layer, of three seeds."""
    tensors = (("layers/0/kernel", "5x10", narrow), ("layers/1/kernel", "10x30", wide))
    return pd.DataFrame(
        [
            {
                "trial": trial,
                "seed": seed,
                "round": 0,
                "control": "ticket",
                "tensor": tensor,
                "shape": shape,
                "saturation": value,
            }
            for seed in range(3)
            for tensor, shape, value in (*tensors, ("output/kernel", "30x4", 0.9))
        ]
    )


def test_wide_layers_count_by_their_width():
    """(10 x 0.8 + 30 x 0.4) / 40 = 0.5; the output layer does not count."""
    found = idle_capacity.points(layers("t", 0.8, 0.4), networks([0.9, 0.9, 0.9, 0.88]))
    (row,) = found.to_dict("records")
    assert row["mean"] == pytest.approx(0.5)
    assert row["error"] == pytest.approx(0)
    assert 0.75 < row["sparsity"] < 0.9


def test_without_looks_or_rounds_there_is_no_point():
    watched, pruned = layers("t", 0.8, 0.4), networks([0.9, 0.9, 0.9, 0.88])
    unwatched = watched.assign(saturation=None)
    assert idle_capacity.points(unwatched, pruned).empty
    assert idle_capacity.points(watched, pruned[pruned["round"] == 0]).empty


def test_a_point_per_trial():
    both = pd.concat([networks([0.9, 0.9, 0.9, m], trial=t) for t, m in (("a", 0.88), ("b", 0.5))])
    described = {"dataset": "d", "family": "mlp", "depth": 2, "train_size": 1, "label_noise": 0.0}
    both = both.assign(**described, width=both["trial"].map({"a": 8.0, "b": 16.0}))
    seen = pd.concat([layers("a", 0.8, 0.4), layers("b", 0.2, 0.1)])
    figure = idle_capacity.figure(seen, both, pd.DataFrame({"trial": ["a", "b"]}))
    assert len(figure.axes[0].containers) == 2
