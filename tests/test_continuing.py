"""A trial that goes on from any round is the trial that was never left."""

import io

import numpy as np
import pytest

from capacity import trial
from capacity.config import Config
from capacity.continuing import Continuation, from_bytes, to_bytes

CONFIG = Config.model_validate(
    {
        "data": {"name": "digits", "train_size": 80, "validation_size": 40.0},
        "model": {"width": 8.0, "depth": 1},
        "training": {"steps": 4, "evaluate_every": 2, "batch_size": 8},
        "pruning": {
            "rounds": 2,
            "rate": 0.5,
            "rewind_step": 2,
            "controls": ("reinitialised", "small-dense"),
        },
        "prequential": {"epochs": 1},
        "memorising": {"loads": (0.05, 0.1), "steps": 4, "inputs": "data"},
        "curvature": {"examples": 0},
        "seeds": 2,
    }
)
TABLES = ("memorised", "capacities", "networks", "layers", "curves", "ledger")


def ran(continuation=None, config=CONFIG):
    return list(trial.run(config, "t", None, continuation))


@pytest.fixture(scope="module")
def whole():
    return ran()


def test_a_trial_can_be_left_behind_its_capacity_and_behind_every_round_but_the_last(whole):
    """Capacity, dense, then two rounds of a ticket and two controls: the control closes a round."""
    assert [each.control for each in whole] == [
        "memorising",
        "ticket",
        *2 * ["ticket", "reinitialised", "small-dense"],
    ]
    left = [each.behind for each in whole if each.continuation is not None]
    assert left == [0, 1, 4]


@pytest.mark.parametrize("place", [0, 1, 4])
def test_what_comes_then_is_what_would_have_come(whole, place):
    rest = ran(whole[place].continuation)
    assert [each.behind for each in rest] == [each.behind for each in whole[place + 1 :]]
    for found, expected in zip(rest, whole[place + 1 :], strict=True):
        assert found.files == expected.files
        for table in TABLES:
            assert found.rows.get(table) == expected.rows.get(table)


@pytest.mark.parametrize(
    "pruning",
    [
        {"schedule": "one-shot"},
        {"schedule": "before-training"},
        {"schedule": "gradual", "update_every": 1},
        {"rewind": "learning-rate"},
        {"method": "rigl", "update_every": 1},
    ],
    ids=str,
)
def test_every_schedule_goes_on(pruning):
    config = Config.model_validate(
        {
            **CONFIG.model_dump(exclude={"pruning", "prequential", "memorising"}),
            "pruning": {"rounds": 2, "rate": 0.5, **pruning},
        }
    )
    outcomes = ran(config=config)
    rest = ran(outcomes[1].continuation, config)
    assert [each.files for each in rest] == [outcomes[2].files]


def test_a_continuation_without_codes_has_none():
    assert from_bytes(to_bytes(Continuation(1, 12.5))) == Continuation(1, 12.5, None, None)


def test_nothing_in_it_is_executed():
    """A pickled object in place of an array is refused, not loaded."""
    buffer = io.BytesIO()
    np.savez(buffer, notes=np.array([{}], object))
    with pytest.raises(ValueError, match="allow_pickle"):
        from_bytes(buffer.getvalue())
