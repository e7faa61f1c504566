"""Numbers of a sweep for Prometheus, at the metrics port of the node that the driver runs on."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ray.util.metrics import Counter, Gauge

from capacity.cluster.latest import Latest
from capacity.cluster.worker import scalars

REPEAT_SECONDS = 2.0
MOST_ENDED, MOST_COUNTED = 200, 500
"""Trials that have a series of their own, in gauges and in counters."""

# Ray puts `ray_` before each name, and `_total` behind a counter's.
TRIAL, TRAINING = ("experiment", "trial"), ("experiment", "trial", "control")
GAUGES = {
    "capacity_round": (TRAINING, "round that a trial is in, or has measured last"),
    "capacity_rounds_done": (TRIAL, "rounds and controls of a trial that are measured"),
    "capacity_steps_per_second": (TRIAL, "optimiser steps of each network of a trial, by report"),
    "capacity_density": (TRAINING, "share of the prunable weights that remain"),
    "capacity_validation_accuracy": (TRAINING, "mean over the seeds of a trial"),
    "capacity_test_accuracy": (TRAINING, "mean over the seeds of a trial"),
    "capacity_coded_bytes": (TRAINING, "file of a network, mean over the seeds of a trial"),
    "capacity_bits": (TRIAL, "random labels that an architecture holds"),
    "capacity_trials_running": (("experiment",), "trials that have a worker"),
}
COUNTERS = {
    "capacity_networks_trained": (TRAINING, "networks trained and measured"),
    "capacity_trials_finished": (("experiment",), "trials with all of their rounds"),
    "capacity_trials_stopped": (("experiment",), "trials that a search ended early"),
    "capacity_trials_failed": (("experiment",), "trials that ended without all of their rounds"),
}
# What they are called in `worker.scalars`.
_NAMES = {
    "round": "capacity_round",
    "density": "capacity_density",
    "validation_accuracy": "capacity_validation_accuracy",
    "test_accuracy": "capacity_test_accuracy",
    "coded_size": "capacity_coded_bytes",
    "capacity": "capacity_bits",
}


class Metrics:
    """What the trials of one experiment report, as gauges and counters with a tag per trial."""

    def __init__(self, experiment: str):
        self._experiment = experiment
        self._gauges = {name: Gauge(name, doc, tags) for name, (tags, doc) in GAUGES.items()}
        self._counters = {name: Counter(name, doc, tags) for name, (tags, doc) in COUNTERS.items()}
        self._pace: dict[str, _Pace] = {}
        self._last: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        self._ended = Latest(MOST_ENDED)
        self._counted: set[str] = set()
        self._said = time.monotonic()

    def begin(self, trial: str) -> None:
        """A trial runs, for the first time or again."""
        self._pace[trial] = _Pace()
        self._set("capacity_rounds_done", 0, trial=trial)
        self._set("capacity_trials_running", len(self._pace))

    def progress(self, trial: str, now: Any) -> None:
        """Where a trial is: a `subject.Progress`."""
        self._means(trial, now)
        self._set("capacity_steps_per_second", self._pace[trial].at(now.step), trial=trial)

    def outcome(self, trial: str, outcome: Any, *, last: bool) -> None:
        """What a trial has measured, a `trial.Outcome`; the last one ends it."""
        networks, pace = outcome.rows.get("networks", []), self._pace[trial]
        self._means(trial, outcome)
        steps = max((row.steps for row in networks), default=0)
        self._set("capacity_steps_per_second", pace.measured(steps), trial=trial)
        self._set("capacity_rounds_done", outcome.behind + 1, trial=trial)
        trained = {"trial": trial, "control": outcome.control}
        self._count("capacity_networks_trained", len(networks), **trained)
        if last:
            self._end(trial, "capacity_trials_finished")

    def stopped(self, trial: str) -> None:
        """A trial was ended early, by no fault of its own."""
        self._end(trial, "capacity_trials_stopped")

    def failed(self, trial: str) -> None:
        """A trial ended without all of its rounds."""
        self._end(trial, "capacity_trials_failed")

    def again(self) -> None:
        """Says the gauges again, every few seconds: Ray forgets one that is not set for a while."""
        if time.monotonic() - self._said < REPEAT_SECONDS:
            return
        self._said = time.monotonic()
        for (name, tags), value in self._last.items():
            self._gauges[name].set(value, dict(tags))

    def _end(self, trial: str, how: str) -> None:
        self._pace.pop(trial, None)
        self._set("capacity_steps_per_second", 0, trial=trial)
        self._forget(trial)
        self._set("capacity_trials_running", len(self._pace))
        self._count(how, 1)

    def _forget(self, ended: str) -> None:
        """A trial has ended: one that did so long ago is said no more."""
        if (oldest := self._ended.add(ended)) is not None:
            tag = ("trial", oldest)
            self._last = {said: value for said, value in self._last.items() if tag not in said[1]}

    def _of_its_own(self, trial: str) -> str:
        """What a counter calls a trial: Ray keeps each of its series for ever."""
        if len(self._counted) < MOST_COUNTED:
            self._counted.add(trial)
        return trial if trial in self._counted else "others"

    def _means(self, trial: str, content: Any) -> None:
        for key, value in scalars(content).items():
            if name := _NAMES.get(key):
                self._set(name, value, trial=trial, control=content.control)

    def _set(self, name: str, value: float, **tags: str) -> None:
        known = self._tags(GAUGES[name], tags)
        self._last[name, tuple(known.items())] = value
        self._gauges[name].set(value, known)

    def _count(self, name: str, value: int, **tags: str) -> None:
        if value:
            if "trial" in tags:
                tags["trial"] = self._of_its_own(tags["trial"])
            self._counters[name].inc(value, self._tags(COUNTERS[name], tags))

    def _tags(self, declared: tuple[Sequence[str], str], tags: Mapping[str, str]) -> dict[str, str]:
        known = {"experiment": self._experiment, **tags}
        return {tag: known[tag] for tag in declared[0]}


class _Pace:
    """How fast a trial takes its steps, between two of its reports."""

    def __init__(self):
        self._step, self._time = 0, time.monotonic()
        self._measured = 0  # steps of the rounds that are

    def measured(self, steps: int) -> float:
        """A round of so many steps is; none since the last report if they were reported then."""
        self._measured += steps
        return self.at(max(self._measured, self._step))

    def at(self, step: int) -> float:
        """Steps per second since the last report.

        The parts of a trial count for themselves, so that a smaller step is the next part's.
        """
        now = time.monotonic()
        done = step - self._step if step >= self._step else step
        rate = done / max(now - self._time, 1e-3)
        self._step, self._time = step, now
        return rate
