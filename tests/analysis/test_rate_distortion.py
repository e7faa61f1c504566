"""The figure of codecs: bits per weight and points lost by hand, hollow beyond the tolerance."""

import pandas as pd
import pytest

from capacity.analysis import rate_distortion

KEY = {"trial": "w4", "round": 0, "control": "ticket"}


@pytest.fixture(scope="module")
def lines():
    networks = pd.DataFrame(
        [KEY | {"seed": seed, "parameters": 100, "test_accuracy": 0.9} for seed in (0, 1)]
        + [KEY | {"control": "reinitialised", "seed": 0, "parameters": 100, "test_accuracy": 0.5}]
    )
    codecs = pd.DataFrame(
        [
            KEY | {"seed": s, "codec": codec, "coded_size": size, "test_accuracy": accuracy}
            | {"within_tolerance": within}
            for codec, s, size, accuracy, within in (
                ("uniform", 0, 50, 0.9, True),
                ("uniform", 1, 100, 0.88, True),
                ("obs", 0, 25, 0.89, True),
                ("obs", 1, 25, 0.89, False),
            )
        ]
        + [KEY | {"control": "reinitialised", "seed": 0, "codec": "uniform", "coded_size": 1}
           | {"test_accuracy": 0.5, "within_tolerance": True}]
    )  # fmt: skip
    drawn = rate_distortion.figure(networks, codecs).axes[0].lines
    return [line for line in drawn if len(line.get_xdata()) == 1]


def test_marks_are_means_over_seeds_and_controls_are_left_out(lines):
    uniform, obs = lines
    assert uniform.get_xdata() == pytest.approx([8 * 75 / 100])
    assert uniform.get_ydata() == pytest.approx([-1.0])
    assert obs.get_xdata() == pytest.approx([8 * 25 / 100])
    assert obs.get_ydata() == pytest.approx([-1.0])


def test_a_mark_is_filled_where_every_seed_is_within_the_tolerance(lines):
    assert [line.get_fillstyle() for line in lines] == ["full", "none"]
    assert [line.get_label() for line in lines] == ["uniform", "obs"]
