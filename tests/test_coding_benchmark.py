"""The coding benchmark's own arithmetic: networks, verdicts and what is quoted."""

import numpy as np
import pytest

from benchmarks.coding_networks import Network, score, turned
from benchmarks.coding_peers import WHOLE_FILES, WholeFile, literature_grid, whole_file_grid
from benchmarks.coding_sizes import NNCODEC, Size, Sizes, ratio_grid, target_grid
from capacity.data import Split


def lenet(seed=0):
    generator = np.random.default_rng(seed)
    shapes = {"conv1": (4, 1, 5, 5), "conv2": (6, 4, 5, 5), "fc1": (9, 6 * 16), "fc2": (10, 9)}
    weights = {}
    for name, shape in shapes.items():
        weights[f"{name}.weight"] = generator.normal(size=shape).astype(np.float32)
        weights[f"{name}.bias"] = np.zeros(shape[0], np.float32)
    return weights


def test_a_network_in_another_order_answers_the_same():
    weights, generator = lenet(), np.random.default_rng(1)
    images = generator.integers(0, 256, (40, 28, 28, 1)).astype(np.uint8)
    split = Split(images, generator.integers(0, 10, 40).astype(np.int32))
    kernels = {name: array for name, array in weights.items() if array.ndim > 1}
    order = turned(kernels)
    assert not np.array_equal(order["fc1.weight"], weights["fc1.weight"])
    before, after = score(weights, split), score(weights | order, split)
    assert after.accuracy == before.accuracy
    assert after.loss == pytest.approx(before.loss, rel=1e-4)  # float32 sums in another order


def test_a_network_that_knows_nothing_loses_the_bits_of_ten_classes():
    weights = {name: np.zeros_like(array) for name, array in lenet().items()}
    split = Split(np.zeros((4, 28, 28, 1), np.uint8), np.array([0, 1, 2, 3], np.int32))
    assert score(weights, split) == (25.0, pytest.approx(np.log2(10)))


def test_a_missed_target_is_said():
    name = "lenet300_dense_s0"
    network = Network(name, "LeNet-300-100, dense", {}, {})
    found = Sizes([Size(name, "context", 33_700), Size(name, "correlation", 31_501)])
    fast, _, largest, _ = target_grid([network], found).rows
    assert fast[1:4] == ("<= 33,700", "33,700", "yes")
    assert largest[1:4] == ("<= 31,500", "31,501", "MISSED")
    assert fast[5:] == ("40,972 quoted", "-17.7%")


def test_a_ratio_is_to_the_peer_of_the_same_run():
    network = Network("a", "seed 0, dense, step 1", {}, {})
    sizes = [Size("a", NNCODEC, 1000), Size("a", "context, units reordered", 822)]
    assert Sizes(sizes).against("a", "context, units reordered") == pytest.approx(-0.178)
    sizes.append(Size("a", "zero-order entropy per layer (no file)", 1100))
    (row,) = ratio_grid([network], Sizes(sizes)).rows
    assert row[3:6] == ("822 (-17.8%)", "<= -17.7%", "yes")


def test_a_small_file_that_lost_accuracy_meets_nothing():
    name, asked = next(iter(WHOLE_FILES.items()))
    for accuracy, met in ((asked.accuracy, "yes"), (asked.accuracy - 0.01, "MISSED")):
        found = {name: WholeFile(asked.bar, accuracy, 0.1)}
        assert whole_file_grid(found).rows[0][-1] == met
    assert whole_file_grid({}).rows[0][5] == "not measured"
    assert literature_grid(found).rows[2][2] == "13.00 kB"
