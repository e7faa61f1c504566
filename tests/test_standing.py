"""How far a sweep is, by a clock of the test's own."""

from types import SimpleNamespace

import pytest

from capacity.standing import Standing, duration


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
    standing = Standing(5, 1, 8, clock)  # four are to do
    assert standing.left is None
    clock.now = 100
    standing.training("a", 1.0)
    standing.training("b", 0.25)
    standing.ended("a")
    assert standing.left == pytest.approx(100 * 2.75 / 1.25)
    for trial in "bcd":
        standing.ended(trial)
    assert standing.left == 0
    assert str(standing) == "5 of 5 trials, 0 of 8 rounds"


def test_best_is_the_largest_mean_validation_accuracy_then_the_smallest_file():
    standing = Standing(3, 0, 9, Clock())
    standing.measured(networks("a", [0.9, 0.8]))
    standing.measured(networks("b", [0.99, 0.5], diverged={1}, round_=2))
    standing.measured(networks("c", [0.2, 0.3]))
    standing.measured(networks("d", [0.9], diverged={0}))
    assert str(standing) == (
        "0 of 3 trials, 4 of 9 rounds; best so far b round 2: validation accuracy 99.00 %, "
        "test 99.00 %, file 1.00 kB"
    )
    standing.measured(networks("e", [0.99], size=2000))
    assert standing.best.said.startswith("b round 2:")
    standing.measured(networks("f", [0.99], size=500, control="sibling"))
    assert standing.best.said.startswith("f round 0 sibling:")


def test_a_trial_that_failed_is_no_trial_that_is_done():
    standing = Standing(2, 0, 2, Clock())
    standing.ended("a", failed=True)
    assert str(standing) == "0 of 2 trials, 1 failed, 0 of 2 rounds"


@pytest.mark.parametrize(
    ("seconds", "said"), [(3, "3 s"), (119, "119 s"), (120, "2 min"), (7200, "2.0 h")]
)
def test_durations(seconds, said):
    assert duration(seconds) == said
