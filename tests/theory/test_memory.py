"""Memory-equivalent capacity: its four rules, against networks counted by hand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.theory.memory import memory_equivalent_capacity

# widths, then the readings "previous", "running" and "input"; the last of the first eight is what
# the TFMeter tool prints
WORKED = [
    ([2, 1], 3, 3, 3),
    ([2, 2, 1], 8, 8, 8),
    ([2, 3, 1], 12, 12, 11),
    ([2, 8, 1], 32, 32, 26),
    ([2, 3, 8, 1], 20, 15, 13),
    ([2, 8, 3, 8, 1], 43, 38, 30),
    ([4, 6, 6, 6, 6, 1], 54, 54, 46),
    ([20, 16, 16, 1], 368, 368, 368),
    ([784, 300, 100, 10], 235_900, 235_900, 235_900),
    ([784, 200, 200, 10], 157_400, 157_400, 157_400),
]

layers = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**4)), min_size=1, max_size=8)


def dense(widths):
    """Parameters, biases included, and outputs of every layer of a dense network."""
    return [(into + 1) * out for into, out in pairwise(widths)], widths[1:]


@pytest.mark.parametrize(("widths", "previous", "running", "input_"), WORKED)
def test_dense_networks_counted_by_hand(widths, previous, running, input_):
    parameters, outputs = dense(widths)
    assert memory_equivalent_capacity(parameters, outputs) == previous
    assert memory_equivalent_capacity(parameters, outputs, reading="running") == running
    found = memory_equivalent_capacity(parameters, outputs, reading="input", inputs=widths[0])
    assert found == input_


def test_a_convolution_passes_on_every_value_of_its_map():
    # 6 kernels of 5 x 5 on one channel, 24 x 24 x 6 = 3456 values, then 10 units
    assert memory_equivalent_capacity([156, 34_570], [3456, 10]) == 156 + 3456
    # but no more reaches it than the 28 x 28 values of the image, where those count as a bit each
    parts = {"reading": "input", "inputs": 784}
    assert memory_equivalent_capacity([156, 34_570], [3456, 10], **parts) == 156 + 784


@given(layers, st.integers(0, 10**4))
def test_input_is_at_most_running_is_at_most_previous_is_at_most_the_parameters(net, inputs):
    parameters, outputs = [p for p, _ in net], [o for _, o in net]
    previous = memory_equivalent_capacity(parameters, outputs)
    running = memory_equivalent_capacity(parameters, outputs, reading="running")
    least = memory_equivalent_capacity(parameters, outputs, reading="input", inputs=inputs)
    assert parameters[0] <= least <= running <= previous <= sum(parameters)
    wide = max(outputs)
    assert running == memory_equivalent_capacity(parameters, outputs, reading="input", inputs=wide)


@given(layers)
def test_running_is_the_brute_force_minimum_over_all_earlier_layers(net):
    parameters, outputs = [p for p, _ in net], [o for _, o in net]
    brute = parameters[0] + sum(
        min(parameters[layer], *outputs[:layer]) for layer in range(1, len(parameters))
    )
    assert memory_equivalent_capacity(parameters, outputs, reading="running") == brute


@pytest.mark.parametrize(
    ("parameters", "outputs", "message"),
    [
        ([], [], "at least one layer"),
        ([3, 4], [2], "2 layers of parameters but 1 of outputs"),
        ([3, -4], [2, 1], "must be 0 or more"),
    ],
)
def test_wrong_layers_are_named(parameters, outputs, message):
    with pytest.raises(ValueError, match=message):
        memory_equivalent_capacity(parameters, outputs)


def test_an_unknown_reading_is_named():
    with pytest.raises(ValueError, match="reading = 'next': must be one of previous, running, inp"):
        memory_equivalent_capacity([3], [1], reading="next")


def test_the_input_reading_needs_the_inputs():
    with pytest.raises(ValueError, match="inputs = None: the reading 'input' needs"):
        memory_equivalent_capacity([3], [1], reading="input")
