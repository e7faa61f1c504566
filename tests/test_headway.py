"""How far a sweep is, by a clock of the test's own."""

from types import SimpleNamespace

import pytest

from capacity.headway import Headway, duration


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def networks(trial, accuracies, *, size=1000, round_=0, control="ticket", diverged=()):
    return [
        SimpleNamespace(
            trial=trial,
            round=round_,
            control=control,
            diverged=seed in diverged,
            validation_accuracy=None if seed in diverged else accuracy,
            test_accuracy=None if seed in diverged else accuracy,
            coded_size=None if seed in diverged else size,
        )
        for seed, accuracy in enumerate(accuracies)
    ]


def test_time_left_is_that_of_the_work_left_at_the_pace_so_far():
    clock = Clock()
    headway = Headway(5, 1, 8, clock)  # four are to do
    assert headway.left is None
    clock.now = 100
    headway.training("a", 1.0)
    headway.training("b", 0.25)
    headway.ended("a")
    assert headway.left == pytest.approx(100 * 2.75 / 1.25)
    for trial in "bcd":
        headway.ended(trial)
    assert headway.left == 0
    assert str(headway) == "5 of 5 trials, 0 of 8 rounds"


def test_best_is_the_largest_mean_validation_accuracy_then_the_smallest_file():
    headway = Headway(3, 0, 9, Clock())
    headway.measured(networks("a", [0.9, 0.8]))
    headway.measured(networks("b", [0.99, 0.5], diverged={1}, round_=2))
    headway.measured(networks("c", [0.2, 0.3]))
    headway.measured(networks("d", [0.9], diverged={0}))
    assert str(headway) == (
        "0 of 3 trials, 4 of 9 rounds; best so far b round 2: validation accuracy 99.00 %, "
        "test 99.00 %, file 1.00 kB"
    )
    headway.measured(networks("e", [0.99], size=2000))
    assert headway.best.said.startswith("b round 2:")
    headway.measured(networks("f", [0.99], size=500, control="sibling"))
    assert headway.best.said.startswith("f round 0 sibling:")


def test_a_trial_that_failed_is_no_trial_that_is_done():
    headway = Headway(2, 0, 2, Clock())
    headway.ended("a", failed=True)
    assert str(headway) == "0 of 2 trials, 1 failed, 0 of 2 rounds"


def test_a_trial_that_was_stopped_early_is_done():
    headway = Headway(3, 0, 0, Clock())
    headway.ended("a")
    headway.ended("b", stopped=True)
    headway.ended("c", failed=True)
    assert str(headway) == "2 of 3 trials, 1 of them stopped early, 1 failed"


@pytest.mark.parametrize(
    ("seconds", "said"), [(3, "3 s"), (119, "119 s"), (120, "2 min"), (7200, "2.0 h")]
)
def test_durations(seconds, said):
    assert duration(seconds) == said
