"""Schedules: published values, exact counts, and the same inside a loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.pruning import (
    PruningError,
    gradual,
    iterative,
    kept_counts,
    kept_of,
    one_shot,
    sparsity_at,
)


def test_half_way_by_both_conventions():
    """0 to 0.8 in 100 steps: at step 50, 0.8 (1 - 0.5^3), or a step ahead 0.8 (1 - 0.49^3)."""
    assert float(sparsity_at(gradual(0.8, 0, 100), 50)) == pytest.approx(0.7, abs=1e-6)
    ahead = gradual(0.8, 0, 100, convention="jaxpruner")
    assert float(sparsity_at(ahead, 50)) == pytest.approx(0.8 * (1 - 0.49**3), abs=1e-6)
    assert round(float(sparsity_at(ahead, 50)), 4) == 0.7059


def equation(t, first, last, start, updates, every, ahead):
    """Zhu & Gupta (2017), equation 1, at its updates; constant between and outside of them."""
    if t < start:
        return first
    latest = start + min((t - start) // every, updates) * every
    share = min(1.0, (latest + ahead - start) / (updates * every))
    return last + (first - last) * (1 - share) ** 3


@pytest.mark.parametrize("convention", ["tfmot", "jaxpruner"])
def test_the_equation_at_every_step_of_a_scan(convention):
    schedule = gradual(0.9, 7, 47, 5, initial=0.2, convention=convention)
    steps = jnp.arange(60)
    _, values = jax.lax.scan(lambda carry, t: (carry, sparsity_at(schedule, t)), 0, steps)
    ahead = 1 if convention == "jaxpruner" else 0
    expected = [equation(t, 0.2, 0.9, 7, 8, 5, ahead) for t in range(60)]
    np.testing.assert_allclose(values, expected, atol=1e-6)
    assert float(values[6]) == pytest.approx(0.2)
    assert float(values[59]) == pytest.approx(0.9)


def test_a_straight_line_and_an_end_between_updates():
    assert float(sparsity_at(gradual(0.8, 0, 100, power=1.0), 25)) == pytest.approx(0.2)
    uneven = gradual(0.5, 0, 11, 4)  # updates at 0, 4 and 8, the last that fits
    assert float(sparsity_at(uneven, 7)) == pytest.approx(0.5 * (1 - 0.5**3))
    assert float(sparsity_at(uneven, 8)) == 0.5


def test_counts_are_those_of_the_sparsity():
    schedule = gradual(0.8, 0, 100, 50)
    assert kept_counts(schedule, 1000) == [1000, 300, 200]
    # A layer of VGG: 0.7 of 102,760,448 is not a float32.
    assert kept_counts(schedule, 102_760_448)[1] == 30_828_134


@given(
    st.integers(1, 10**8),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(1, 50),
    st.sampled_from(["tfmot", "jaxpruner"]),
)
def test_counts_never_rise_and_end_exactly(size, first, last, updates, convention):
    first, last = sorted((first, last))
    schedule = gradual(last, 3, 3 + updates, initial=first, convention=convention)
    counts = kept_counts(schedule, size)
    assert len(counts) == updates + 1
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == kept_of(size, last)
    assert convention == "jaxpruner" or counts[0] == kept_of(size, first)


def test_rounds_by_hand():
    assert iterative(1000, 0.875, 3) == [500, 250, 125]
    assert one_shot(1000, 0.875) == iterative(1000, 0.875, 1) == [125]
    assert iterative(10, 0.0, 2) == [10, 10]
    assert iterative(10, 1.0, 2) == [0, 0]


@given(st.integers(1, 10**8), st.floats(0, 1), st.integers(1, 30))
def test_rounds_never_rise_and_end_as_one_shot(size, sparsity, rounds):
    counts = iterative(size, sparsity, rounds)
    assert counts == sorted(counts, reverse=True)
    assert counts[-1:] == one_shot(size, sparsity)


def rejected(call, sentence):
    with pytest.raises(PruningError) as caught:
        call()
    assert str(caught.value) == sentence


def test_what_cannot_be_is_said_in_a_sentence():
    rejected(
        lambda: gradual(1.5, 0, 10),
        "final sparsity 1.5: must be from 0 (dense) to 1 (nothing is left)",
    )
    rejected(
        lambda: gradual(0.5, 0, 10, initial=-0.1),
        "initial sparsity -0.1: must be from 0 (dense) to 1 (nothing is left)",
    )
    rejected(
        lambda: gradual(0.5, 20, 10), "a schedule from step 20 to step 10: must end after it starts"
    )
    rejected(
        lambda: gradual(0.5, 0, 10, initial=0.8),
        "sparsity from 0.8 to 0.5: must not fall, as masks shrink",
    )
    rejected(
        lambda: gradual(0.5, 0, 10, 11),
        "an update every 11 steps: must be from 1 to 10, the schedule's length",
    )
    rejected(
        lambda: gradual(0.5, 0, 10, convention="keras"),
        "convention 'keras': must be tfmot or jaxpruner",
    )
    rejected(lambda: gradual(0.5, -1, 10), "a schedule from step -1: must start at step 0 or later")
    rejected(lambda: gradual(0.5, 0, 10, power=0.0), "a schedule of power 0.0: must be above 0")
    rejected(lambda: iterative(10, 0.5, 0), "0 rounds of pruning: must be at least 1")
    rejected(
        lambda: one_shot(10, float("nan")),
        "sparsity nan: must be from 0 (dense) to 1 (nothing is left)",
    )
