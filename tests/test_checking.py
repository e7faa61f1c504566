"""What is looked at before anything runs."""

import pytest

from capacity.checking import unlike
from capacity.experiment import load


@pytest.fixture
def grid(tmp_path):
    def of(*overrides):
        path = tmp_path / "x.yaml"
        path.write_text("data: {name: digits}\n")
        return load(path, overrides)

    return of


def test_trials_that_differ_in_rates_are_looked_at_once(grid):
    experiment = grid("training.learning_rate=[1e-3,1e-2]", "model.width=[8,16]")
    assert len(experiment.trials) == 4
    found = unlike(experiment)
    assert [config.model.width for config in found.values()] == [8.0, 16.0]
    assert found.items() <= experiment.trials.items()


def test_a_rate_of_no_training_is_told(grid):
    """It is of no effect, which has to be said of the value that is not the default."""
    rates = grid(
        "memorising.loads=[1.0]", "training.epochs=0", "training.learning_rate=[1e-3,1e-2]"
    )
    assert len(unlike(rates)) == 2
