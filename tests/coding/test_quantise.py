"""Uniform quantisation: error bound, ties, idempotence, and what cannot be quantised."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capacity.coding.errors import UnquantisableTensor
from capacity.coding.quantise import Quantised, dequantised, uniform
from capacity.coding.steps import error_step, short_step, tensor_step

weights = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    elements=st.floats(-1000, 1000, width=32, allow_subnormal=False),
)
steps = st.floats(2**-12, 2**6, width=32)


@settings(deadline=None)
@given(weights, steps)
def test_no_weight_moves_by_more_than_half_a_step(values, step):
    symbols = uniform(values, step).symbols
    assert symbols.dtype == np.int32
    assert symbols.shape == values.shape
    error = np.abs(values.astype(np.float64) - symbols * np.float64(step))
    assert np.all(error <= step / 2 * (1 + 1e-9))


@settings(deadline=None)
@given(weights, steps)
def test_quantising_twice_changes_nothing(values, step):
    once = dequantised(uniform(values, step))
    assert once.dtype == values.dtype
    assert np.array_equal(dequantised(uniform(once, step)), once)


def test_ties_go_to_the_even_symbol_and_zeros_are_positive():
    quantised = uniform(np.array([0.5, 1.5, 2.5, -0.5, -1.5, -0.25]), 1.0)
    assert quantised.symbols.tolist() == [0, 2, 2, 0, -2, 0]
    assert not np.signbit(dequantised(quantised)[[0, 3, 5]]).any()


def test_the_step_is_rounded_to_float32_before_it_is_used():
    quantised = uniform(np.array([0.3]), 0.1)
    assert quantised.step == np.float32(0.1)
    assert dequantised(quantised)[0] == np.float32(3 * np.float64(np.float32(0.1)))


def test_a_codebook_gives_its_levels_and_a_narrow_type_rounds_them():
    symbols, levels = np.array([[2, 0], [1, 1]], np.int32), np.array([-1.5, 0, 1 / 3], np.float32)
    assert dequantised(Quantised(symbols, 0.0, levels)).tolist() == levels[symbols].tolist()
    half = dequantised(Quantised(symbols, 0.0, levels, "float16"))
    assert half.dtype == np.float16
    assert half[0, 0] == np.float16(1 / 3)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_weights_come_back_in_their_type(dtype):
    quantised = uniform(np.array([0.26, -0.5]).astype(dtype), 0.125)
    assert quantised.dtype == dtype
    assert dequantised(quantised).dtype == np.dtype(dtype)
    assert dequantised(quantised).tolist() == [0.25, -0.5]


def test_a_tensors_step_follows_the_weights_that_are_left():
    # 0.1 times the root mean square of 3 and 4 is 0.35355; of eight bits in [1/4, 1/2), 181 / 512
    dense = np.array([3.0, -4.0])
    pruned = np.array([3.0, 0.0, 0.0, -4.0, 0.0])
    assert tensor_step(dense, 0.1) == 181 / 512
    assert tensor_step(pruned, 0.1) == tensor_step(dense, 0.1)
    assert tensor_step(np.array([1e-44]), 0.1) == np.finfo(np.float32).tiny
    assert tensor_step(np.zeros(3), 0.1) == tensor_step(np.zeros((0, 2)), 0.1) == 1.0


@settings(deadline=None)
@given(weights, st.integers(-60, 60))
def test_a_tensors_step_scales_with_the_tensor(values, exponent):
    scaled = np.asarray(values.astype(np.float64) * 2.0**exponent)
    if values.any():
        assert tensor_step(scaled, 0.25) == pytest.approx(
            2.0**exponent * tensor_step(values, 0.25), rel=2**-7, abs=1e-18
        )


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused_by_name(wrong):
    values = np.array([1.0, wrong, 2.0])
    message = "layers/0/kernel: 1 of 3 weights are NaN or infinite"
    with pytest.raises(UnquantisableTensor, match=message):
        uniform(values, 0.1, "layers/0/kernel")
    with pytest.raises(UnquantisableTensor, match=message):
        tensor_step(values, 0.1, "layers/0/kernel")


@pytest.mark.parametrize("step", [0.0, -1.0, np.nan, np.inf, 1e-60, 1e60])
def test_a_step_that_is_no_positive_float32_is_refused(step):
    with pytest.raises(UnquantisableTensor, match=r"w: step .*: must be a positive"):
        uniform(np.ones(2), step, "w")


def test_a_step_too_fine_or_too_coarse_for_its_tensor_is_refused():
    assert uniform(np.array([-(2.0**31) + 1]), 1.0).symbols == -(2**31) + 1
    with pytest.raises(UnquantisableTensor, match="choose a coarser step"):
        uniform(np.array([2.0**31]), 1.0)
    with pytest.raises(UnquantisableTensor, match="beyond float16: choose a finer step"):
        uniform(np.array([65504], np.float16), 40000.0)
    with pytest.raises(UnquantisableTensor, match="choose a finer step"):
        uniform(np.array([3.4e38]), 2.2e38)


def test_a_short_step_has_eight_significant_bits():
    assert short_step(0.1) == 205 / 2048  # 204.8 of the 256ths of 1/8
    assert short_step(3.4e38) < float("inf")


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 0.1, 0.5]))
def test_an_error_step_is_the_coarsest_within_the_error(seed, error):
    values = np.random.default_rng(seed).normal(size=4000).astype(np.float32) * 10.0**-3
    step = error_step(values, error)

    def relative(width):
        lost = values - dequantised(uniform(values, width)).astype(np.float64)
        return np.sqrt(np.sum(lost**2) / np.sum(values.astype(np.float64) ** 2))

    assert short_step(step) == step
    assert relative(step) <= error
    assert error < relative(step * 1.05)  # four thousand weights leave the error uneven
    if error < 0.2:  # of fine steps it is the step over the root of 12
        assert step == pytest.approx(error * np.sqrt(12 * np.mean(values**2)), rel=0.05)


def test_an_error_that_no_step_has_is_refused():
    assert error_step(np.zeros(3), 0.1) == 1
    with pytest.raises(UnquantisableTensor, match="w: no step has a relative error as small"):
        error_step(np.array([1.0, 1 / 3]), 1e-30, "w")
