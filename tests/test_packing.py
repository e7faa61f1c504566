"""Which trials ride one population."""

import itertools

import pytest

from capacity.config import Config
from capacity.packing import packs


def trials(**axes):
    """A grid by the names of its values."""
    keys, found = [key.replace("__", ".") for key in axes], {}
    for values in itertools.product(*axes.values()):
        tree = {}
        for key, value in zip(keys, values, strict=True):
            section, _, name = key.partition(".")
            if name:
                tree.setdefault(section, {})[name] = value
            else:
                tree[section] = value
        found["-".join(map(str, values))] = Config.model_validate(tree)
    return found


def sizes(**axes):
    return [len(pack) for pack in packs(trials(**axes))]


def test_a_grid_takes_a_population_per_architecture():
    """3 widths x 2 depths x 4 noise levels of 8 seeds: 6 compilations."""
    grid = trials(
        model__width=[8.0, 16.0, 32.0], model__depth=[1, 2], data__label_noise=[0.0, 0.1, 0.2, 0.4]
    )
    found = packs(grid)
    assert [len(pack) for pack in found] == 6 * [4]
    assert found[0] == ("8.0-1-0.0", "8.0-1-0.1", "8.0-1-0.2", "8.0-1-0.4")
    assert [name for pack in found for name in pack] == list(grid)


@pytest.mark.parametrize(
    "axis",
    [
        {"training__learning_rate": [1e-3, 1e-2]},
        {"training__weight_decay": [1e-5, 1e-4]},
        {"pruning__rate": [0.2, 0.5]},
        {"pruning__method": ["magnitude", "snip"]},
        {"pruning__controls": [(), ("reinitialised",)]},
        {"data__label_noise": [0.0, 0.3]},
        {"data__train_size": [100, 200], "training__steps": [50]},
        {"coding__effort": ["fast", "max"]},
    ],
    ids=str,
)
def test_numbers_are_arguments(axis):
    assert sizes(**axis) == [2]


@pytest.mark.parametrize(
    "axis",
    [
        {"model__width": [8.0, 16.0]},
        {"training__optimizer": ["adam", "sgd"]},
        {"training__weight_decay": [0.0, 1e-4]},
        {"training__batch_size": [20, 40]},
        {"training__epochs": [1, 2]},
        {"data__train_size": [100, 200]},
        {"data__seed": [0, 1]},
        {"pruning__rewind_step": [0, 100]},
        {"pruning__method": ["magnitude", "rigl"]},
        {"memorising__loads": [(0.1, 0.2), (0.1, 0.3)], "training__steps": [0]},
    ],
    ids=str,
)
def test_what_shapes_a_program_has_a_population_of_its_own(axis):
    """A size of a training set tells the steps of an epoch; and memorising is no training."""
    assert sizes(**axis) == [1, 1]


def test_every_worker_has_some():
    grid = trials(data__label_noise=[0.0, 0.1, 0.2, 0.3, 0.4])
    names = list(grid)
    assert packs(grid, workers=2) == [tuple(names[:2]), tuple(names[2:])]
    assert [len(pack) for pack in packs(grid, workers=9)] == 5 * [1]


def test_a_pack_has_a_limit():
    grid = trials(data__label_noise=[0.0, 0.1, 0.2, 0.3, 0.4], resources=[{"pack": 2}])
    assert sorted(len(pack) for pack in packs(grid)) == [1, 2, 2]
    assert packs({}) == []
