"""The driver's side: trials as a Tune run, and what they report handed over in this process."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ray
from ray import tune

from capacity.cluster.asking import Asked, asha, search_of
from capacity.cluster.connection import room
from capacity.cluster.dashboard import Dashboard
from capacity.cluster.heap import Heap
from capacity.cluster.metrics import Metrics
from capacity.cluster.shelf import Shelf
from capacity.cluster.shifts import Shift, shifts
from capacity.cluster.tracking import Tracking
from capacity.cluster.worker import PopulationTrial, scalars
from capacity.config import Config

WORKER_DEATHS = 3
"""Of one trial, until it is given up: a lost node is not its fault, lost memory is."""
DEAD = f"its worker died, and {WORKER_DEATHS} that took over"


def run(
    trials: Mapping[str, Config],
    dashboard: Dashboard,
    folder: Path,
    name: str,
    *,
    progress: Callable[[str, Any], None],
    outcome: Callable[[str, Any], None],
    failed: Callable[[str, str], None],
    continuation: Callable[[str], bytes | None],
    asked: Asked | None = None,
) -> None:
    """Runs `trials` on the connected cluster and hands over what they report, in this process.

    Args:
      folder: where Tune and the tools of `tracking` keep their own logs.
      progress: (trial, `subject.Progress`), every few seconds.
      outcome: (trial, `trial.Outcome`), once per round, in order.
      failed: (trial, reason), for a trial that raised.
      continuation: of a trial, from where it goes on if it was left in the middle.
      asked: proposes the trials of a search; `trials` are then examples of them, and do not run.
    """
    resources = next(iter(trials.values())).resources
    known, shelf, workers = dict(trials), Shelf(dashboard.actor), room(resources)
    planned = {} if asked else {shift.name: shift for shift in shifts(trials, workers)}

    def begins(trial: str, config: Config) -> None:
        known[trial] = config
        if (start := continuation(trial)) is not None:
            shelf.put(trial, start)

    if asked is None:
        for trial, config in trials.items():
            begins(trial, config)
    tracking = Tracking(next(iter(trials.values())), folder, name)
    watchers = Watchers(dashboard, Metrics(name), tracking)
    handover = _Handover(watchers, shelf, known, planned, progress, outcome, failed, asked)
    # Each by itself, so that a worker holds what it runs and not the whole sweep.
    ready = {name: ray.put(shift) for name, shift in planned.items()}
    worker = tune.with_resources(
        tune.with_parameters(PopulationTrial, shifts=ready, shelf=shelf),
        {"cpu": resources.cpus, "gpu": resources.gpus},
    )
    # Its loggers would write of its own trials, which are several of ours each.
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    worker.__qualname__ = PopulationTrial.__qualname__  # as the dashboard calls the worker
    tuner = tune.Tuner(
        worker,
        param_space={} if asked else {"trial": tune.grid_search(list(planned))},
        tune_config=tune.TuneConfig(
            search_alg=search_of(asked, workers, begins) if asked else None,
            scheduler=asha(asked.search) if asked else None,
            num_samples=asked.left if asked else 1,
            reuse_actors=True,
            trial_name_creator=lambda trial: trial.config["trial"],
            trial_dirname_creator=lambda trial: trial.config["trial"],
        ),
        run_config=tune.RunConfig(
            name=name,
            storage_path=str(folder.absolute()),
            failure_config=tune.FailureConfig(max_failures=WORKER_DEATHS),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            callbacks=[handover],
            verbose=0,  # The driver has a table of its own.
        ),
    )
    try:
        tuner.fit()
    except tune.TuneError:
        if handover.error is not None:
            raise handover.error from None
        raise
    finally:
        tracking.close()


class Watchers(NamedTuple):
    """Who shows what trials report."""

    dashboard: Dashboard
    metrics: Metrics
    tracking: Tracking


class _Handover(tune.Callback):
    """Takes the parcels out of Tune's results, in the driver."""

    def __init__(
        self,
        watchers: Watchers,
        shelf: Shelf,
        configs: Mapping[str, Config],
        planned: Mapping[str, Shift],
        progress: Callable,
        outcome: Callable,
        failed: Callable,
        asked: Asked | None,
    ):
        self._dashboard, self._metrics, self._tracking = watchers
        self._shelf, self._configs = shelf, configs
        self._progress, self._outcome, self._failed = progress, outcome, failed
        self._planned, self._asked = planned, asked
        self._heap = Heap()
        self._running: set[str] = set()
        self._over: set[str] = set()
        self._deaths: dict[str, int] = {}
        self.error: Exception | None = None

    def __deepcopy__(self, memo: dict) -> "_Handover":
        return self

    def __getstate__(self) -> dict:
        # Tune writes its callbacks to the disk for a restore that we do not use.
        return {}

    def on_trial_start(self, iteration: int, trials: list, trial: Any, **_: Any) -> None:
        left = self._left(trial)
        for name in left[:1]:  # Of others it is known when they say something.
            self._begin(name)

    def on_step_end(self, iteration: int, trials: list, **_: Any) -> None:
        self._metrics.again()
        self._heap.tidy()

    def on_trial_result(
        self, iteration: int, trials: list, trial: Any, result: dict, **_: Any
    ) -> None:
        parcel = result.pop("parcel", None)
        report = parcel.take() if parcel else None
        if report is None:
            return
        over = report.over or bool(result["done"])
        try:
            for name in report.trials:
                if name in self._over:  # of a worker that was thought dead
                    continue
                self._begin(name)
                self._hand_over(name, report.said, last=over)
                if over:
                    self._end(name)
            if over or hasattr(report.said, "rows"):
                # Tune counts deaths since a shift began; what counts is that it comes on.
                trial.run_metadata.num_failures = 0
        except Exception as error:
            self.error = error  # Tune would bury it in the text of another.
            raise

    def on_trial_recover(self, iteration: int, trials: list, trial: Any, **_: Any) -> None:
        """A worker died: what it ran is tried again, then alone, and what kills again is ended."""
        names = self._shelf.suspects(trial.config["trial"])
        if names:
            # Each has a count of its own; Tune's is for workers that die before anything runs.
            trial.run_metadata.num_failures = 0
        self._running.difference_update(self._left(trial))
        for name in names:
            self._deaths[name] = self._deaths.get(name, 0) + 1
            if self._deaths[name] > WORKER_DEATHS:
                self._fail(name, DEAD)
                self._end(name)

    def _hand_over(self, name: str, content: Any, *, last: bool) -> None:
        if isinstance(content, str):
            self._fail(name, content)
        elif hasattr(content, "rows"):
            self._deaths.pop(name, None)
            self._outcome(name, content)
            if content.continuation is not None:
                self._shelf.put(name, content.continuation)
            self._dashboard.round(name, content.control, scalars(content), last=last)
            self._metrics.outcome(name, content, last=last)
            self._tracking.scalars(name, scalars(content))
        elif last:  # It has more to say: Tune ended it.
            self._stop(name, f"at step {content.step} of {content.steps}")
        else:
            self._dashboard.progress(name, content.control, scalars(content))
            self._metrics.progress(name, content)
            self._tracking.scalars(name, scalars(content))
            self._progress(name, content)

    def on_trial_error(self, iteration: int, trials: list, trial: Any, **_: Any) -> None:
        for name in self._left(trial):
            self._fail(name, DEAD)
            self._end(name)

    def _left(self, trial: Any) -> list[str]:
        """Our trials in one of Tune's that have not said their last word."""
        name = trial.config["trial"]
        own = self._planned[name].trials if name in self._planned else [name]
        return [each for each in own if each not in self._over]

    def _begin(self, name: str) -> None:
        if name not in self._running:
            self._running.add(name)
            self._dashboard.begin(name)
            self._metrics.begin(name)
            self._tracking.begin(name, self._configs[name])

    def _end(self, name: str) -> None:
        self._running.discard(name)
        self._over.add(name)
        self._shelf.end(name)
        self._tracking.end(name)

    def _fail(self, name: str, reason: str) -> None:
        self._dashboard.failed(name, reason)
        self._metrics.failed(name)
        self._tracking.end(name, failed=True)
        self._failed(name, reason)

    def _stop(self, name: str, reason: str) -> None:
        assert self._asked is not None
        self._dashboard.stopped(name, reason)
        self._metrics.stopped(name)
        self._asked.stopped(name, reason)
