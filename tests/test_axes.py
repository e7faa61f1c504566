"""The axes of a search: from a file, at their ends, and a point as settings."""

import pytest

from capacity import axes as axes_of
from capacity.experiment import ConfigError, load

SEARCH = """
search: {method: evolution, trials: 12, objectives: [validation_accuracy, coded_size]}
sweep:
  model.depth: [1, 2, 3]
  model.widths: {low: 4, high: 32, log: true, integer: true, each: model.depth}
  training.optimizer: [sgd, adam]
  training.momentum: {low: 0.0, high: 0.9, when: {training.optimizer: sgd}}
"""


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def read(text, *overrides):
        (tmp_path / "s.yaml").write_text(text)
        return load("s.yaml", overrides)

    return read


def test_the_trials_of_a_search_are_those_at_its_ends(read):
    trials = read(SEARCH).trials
    assert list(trials) == [
        "digits-mlp-d1-w4-optimizer_sgd-momentum_0.0",
        "digits-mlp-d3-w32_32_32-optimizer_adam",
    ]
    last = list(trials.values())[-1]
    assert last.model.widths == (32, 32, 32)
    assert last.training.momentum is None, "a closed key is as the file has it, not as at the first"


def test_a_point_is_settings_and_a_readable_name(read):
    point = {"model.depth": 2, "model.widths/0": 8, "model.widths/1": 5}
    settings = axes_of.settings(point)
    assert settings == {"model.depth": 2, "model.widths": [8, 5]}
    name, config = read(SEARCH).trial(settings)
    assert name == "digits-mlp-d2-w8_5"
    assert config.model.widths == (8, 5)


def test_overrides_reach_the_search_and_its_ranges(read):
    experiment = read(SEARCH, "search.trials=5", "search.objectives=[coded_size]")
    assert (experiment.search.trials, experiment.search.objectives) == (5, ("coded_size",))
    assert read("seeds: 1", "search.method=tpe", "model.width=[4,8]").search.method == "tpe"
    changed = read(SEARCH, "training.learning_rate={low: 1e-3, high: 1e-1, log: true}")
    assert changed.space["training.learning_rate"].log


def test_a_grid_has_no_search(read):
    assert read("sweep: {model.width: [4, 8]}").search is None


MISTAKES = {
    "sweep: {model.width: {low: 4, high: 8}}": (
        "sweep.model.width: a range or condition needs a search section"
    ),
    "search: {}": "search: there is nothing to search in without a sweep",
    "search: {trails: 3}\nsweep: {model.width: [4]}": (
        "no key 'search.trails', did you mean 'search.trials'?"
    ),
    "search: {method: grid}\nsweep: {model.width: [4]}": (
        "search.method = grid: must be 'random', 'tpe' or 'evolution'"
    ),
    "search: {trials: 0}\nsweep: {model.width: [4]}": "search.trials = 0: must be greater than 0",
    "search: {objectives: [test_accuracy]}\nsweep: {model.width: [4]}": (
        "search: objectives: test_accuracy is of the test split, which must choose nothing"
    ),
    "search: {tournament: 3}\nsweep: {model.width: [4]}": (
        "search: tournament is not an option of tpe"
    ),
    "search: {method: random, startup: 3}\nsweep: {model.width: [4]}": (
        "search: startup is not an option of random"
    ),
    "search: {}\nsweep: {seeds: [1, 2]}": "sweep.seeds: is the same in all trials, and no axis",
    "sweep: {search.trials: [3, 4]}": (
        "sweep.search.trials: is the same in all trials, and no axis"
    ),
    "search: {}\nsweep: {tracking.mlflow_uri: [a]}": (
        "sweep.tracking.mlflow_uri: is the same in all trials, and no axis"
    ),
    "search: {}\nsweep: {model.width: 4}": (
        "sweep.model.width: must be a list of values, or low and high"
    ),
    "search: {}\nsweep: {model.width: []}": (
        "sweep.model.width: values: must be a list of at least one value"
    ),
    "search: {}\nsweep: {model.width: {low: 4}}": (
        "sweep.model.width: must have low and high, or values"
    ),
    "search: {}\nsweep: {model.width: {low: 8, high: 4}}": (
        "sweep.model.width: low = 8: must be below high = 4"
    ),
    "search: {}\nsweep: {model.width: {low: 0, high: 4, log: true}}": (
        "sweep.model.width: low = 0: must be above 0 on a logarithmic scale"
    ),
    "search: {}\nsweep: {model.width: {low: 1, high: 4, most: 3}}": (
        "sweep.model.width: no 'most': an axis has "
        "values, low, high, log, integer, step, each, when"
    ),
    "search: {}\nsweep: {model.width: {low: few, high: 4}}": (
        "sweep.model.width: low = few: must be a valid integer"
    ),
    "search: {}\nsweep: {model.width: {low: 1, high: 4, when: {model.depth: 2}}}": (
        "sweep.model.width: 'model.depth', which decides about it, must stand before it"
    ),
    "search: {}\nsweep: {model.taper: [0.5], model.widths: {values: [4], each: model.taper}}": (
        "sweep.model.widths: model.taper must be whole numbers of at least 1"
    ),
    "search: {}\nsweep: {model.width: {low: 0, high: 4, integer: true}}": (
        "model.width = 0: must be greater than 0"
    ),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_one_sentence(read, text):
    with pytest.raises(ConfigError) as raised:
        read(text)
    assert str(raised.value) == f"s.yaml: {MISTAKES[text]}"
