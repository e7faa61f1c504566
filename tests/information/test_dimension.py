"""Intrinsic dimension: shapes of known dimension, estimators by hand, duplicates and ties."""

import math

import numpy as np
import pytest
from scipy.spatial import cKDTree

from capacity.information import (
    dimension_measures,
    levina_bickel_dimension,
    neighbour_distances,
    twonn_dimension,
)


def cloud(count, dimension, ambient, seed=0):
    """Uniform points of a cube, turned into a space of more dimensions."""
    draw = np.random.default_rng(seed)
    turn = np.linalg.qr(draw.normal(size=(ambient, dimension)))[0]
    return draw.random((count, dimension)) @ turn.T


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_distances_are_those_of_scipy(dtype):
    points = cloud(1200, 5, 9).astype(dtype)  # more than two blocks
    theirs = cKDTree(points).query(points, 8)[0][:, 1:]
    np.testing.assert_allclose(neighbour_distances(points, 7), theirs, rtol=1e-6)


def test_distances_of_pixels_are_exact():
    points = np.random.default_rng(0).integers(0, 256, (700, 6, 5, 1), np.uint8)
    flat = points.reshape(700, -1).astype(np.float64)
    theirs = np.sqrt(((flat[:, None] - flat[None]) ** 2).sum(-1))
    theirs.sort(axis=1)
    np.testing.assert_allclose(neighbour_distances(points, 3), theirs[:, 1:4], rtol=1e-12)


def test_twonn_by_hand():
    # log ratios ln 2, ln 4 and 0: (3 - 1) / (3 ln 2)
    found = twonn_dimension(np.array([[1.0, 2], [1, 4], [3, 3]]))
    assert found.value == pytest.approx(2 / (3 * math.log(2)))
    assert found.standard_error == pytest.approx(found.value / math.sqrt(3))


def test_levina_bickel_by_hand():
    # inverses (ln 4 + ln 2) / 2 and (ln 2 + 0) / 2; their mean is ln 2
    found = levina_bickel_dimension(np.array([[1.0, 2, 4], [1, 2, 2]]))
    assert found.value == pytest.approx(1 / math.log(2))


@pytest.mark.parametrize("dimension", [1, 2, 4])
def test_a_cube_has_its_dimension(dimension):
    distances = neighbour_distances(cloud(3000, dimension, 12), 10)
    for found in (twonn_dimension(distances), levina_bickel_dimension(distances)):
        # five standard errors, and the boundary, at which every estimate is too low
        assert abs(found.value - dimension) < 5 * found.standard_error + 0.05 * dimension


def test_the_standard_error_is_the_deviation_over_clouds():
    found = [
        (twonn_dimension(d), levina_bickel_dimension(d))
        for d in (neighbour_distances(cloud(400, 3, 3, seed), 5) for seed in range(60))
    ]
    for estimates in zip(*found, strict=True):
        deviation = np.std([e.value for e in estimates])
        # neighbourhoods overlap, so the error that takes them as independent is somewhat small
        assert 0.6 < estimates[0].standard_error / deviation < 1.2


def test_scale_and_place_do_not_matter():
    points = cloud(500, 3, 6)
    moved = neighbour_distances(1e3 * points + 1e5, 5)
    still = neighbour_distances(points, 5)
    # of 1e5, float64 leaves distances of 100 with 1e-13
    assert twonn_dimension(moved).value == pytest.approx(twonn_dimension(still).value, rel=1e-9)


def test_neighbours_far_nearer_than_the_cloud_is_wide_are_found():
    points = cloud(300, 2, 4) * 1e-4 + np.repeat([0.0, 1.0, 5.0], 100)[:, None]
    theirs = cKDTree(points).query(points, 4)[0][:, 1:]
    np.testing.assert_allclose(neighbour_distances(points, 3), theirs, rtol=1e-9)


def test_duplicates_change_nothing():
    points = cloud(400, 3, 6).astype(np.float32)
    ridden = np.concatenate([points, points[:300], points[:50], -0.0 * points[:1], 0 * points[:1]])
    np.testing.assert_array_equal(
        neighbour_distances(ridden, 4),
        neighbour_distances(np.concatenate([points, 0 * points[:1]]), 4),
    )


def test_a_set_of_duplicates_has_a_finite_dimension():
    pixels = np.random.default_rng(0).integers(0, 3, (5000, 2, 3, 1), np.uint8)  # of 729 images
    found = dimension_measures(pixels)
    assert found["points"].value == 729 - (729 - len(np.unique(pixels.reshape(5000, -1), axis=0)))
    assert found["duplicates"].value == 5000 - found["points"].value
    value = found["levina_bickel_dimension/20"].value
    assert value is not None
    assert math.isfinite(value)
    # on a grid most first and second neighbours are equally far, yet the estimate stays finite
    assert found["twonn_dimension"].value is None or math.isfinite(found["twonn_dimension"].value)


def test_few_points_have_the_estimates_that_they_allow():
    found = dimension_measures(cloud(7, 2, 3))
    assert found["twonn_dimension"].value is not None
    assert found["levina_bickel_dimension/5"].value is not None
    measure = found["levina_bickel_dimension/10"]
    assert measure == (None, None, "distinct points: 7, where more than 10 are needed")


@pytest.mark.parametrize(
    ("points", "note"),
    [
        (np.zeros((9, 2), np.uint8), "distinct points: 1, where more than 2 are needed"),
        (np.zeros((0, 2), np.uint8), "distinct points: 0, where more than 2 are needed"),
        (np.array([[0.0], [np.nan], [1]]), "inputs hold NaN or infinite values"),
        (np.array([[0.0], [np.inf], [1]]), "inputs hold NaN or infinite values"),
        (np.eye(30, dtype=np.uint8), "the neighbours of every point are equally far"),
    ],
)
def test_what_has_no_dimension_is_none_and_a_sentence(points, note):
    found = dimension_measures(points)
    for name in ("twonn_dimension", "levina_bickel_dimension/3"):
        assert found[name].value is None
        assert found[name].note.startswith(note)
