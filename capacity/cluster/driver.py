"""The driver's side: trials as a Tune run, and what they report handed over in this process."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ray import tune

from capacity.cluster.dashboard import Dashboard
from capacity.cluster.metrics import Metrics
from capacity.cluster.shelf import Shelf
from capacity.cluster.tracking import callbacks
from capacity.cluster.worker import PopulationTrial, scalars
from capacity.config import Config

WORKER_DEATHS = 3
"""Of one trial, until it is given up: a lost node is not its fault, lost memory is."""


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
) -> None:
    """Runs `trials` on the connected cluster and hands over what they report, in this process.

    Args:
      folder: where Tune keeps its own logs (TensorBoard's among them).
      progress: (trial, `subject.Progress`), every few seconds.
      outcome: (trial, `trial.Outcome`), once per round, in order.
      failed: (trial, reason), for a trial that raised.
      continuation: of a trial, from where it goes on if it was left in the middle.
    """
    resources = next(iter(trials.values())).resources
    configs = {trial: config.model_dump_json() for trial, config in trials.items()}
    shelf = Shelf()
    for trial in trials:
        if (start := continuation(trial)) is not None:
            shelf.put(trial, start)
    handover = _Handover(dashboard, shelf, Metrics(name), progress, outcome, failed)
    worker = tune.with_resources(
        tune.with_parameters(PopulationTrial, configs=configs, shelf=shelf),
        {"cpu": resources.cpus, "gpu": resources.gpus},
    )
    worker.__qualname__ = PopulationTrial.__qualname__  # as the dashboard calls the worker
    tuner = tune.Tuner(
        worker,
        param_space={"trial": tune.grid_search(list(trials))},
        tune_config=tune.TuneConfig(
            reuse_actors=True,
            trial_name_creator=lambda trial: trial.config["trial"],
            trial_dirname_creator=lambda trial: trial.config["trial"],
        ),
        run_config=tune.RunConfig(
            name=name,
            storage_path=str(folder.absolute()),
            failure_config=tune.FailureConfig(max_failures=WORKER_DEATHS),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            callbacks=[handover, *callbacks(trials, folder, name)],
            verbose=0,  # The driver has a table of its own.
        ),
    )
    try:
        tuner.fit()
    except tune.TuneError:
        if handover.error is not None:
            raise handover.error from None
        raise


class _Handover(tune.Callback):
    """Takes the parcels out of Tune's results, in the driver."""

    def __init__(
        self,
        dashboard: Dashboard,
        shelf: Shelf,
        metrics: Metrics,
        progress: Callable,
        outcome: Callable,
        failed: Callable,
    ):
        self._dashboard, self._shelf, self._metrics = dashboard, shelf, metrics
        self._progress, self._outcome, self._failed = progress, outcome, failed
        self.error: Exception | None = None

    def __deepcopy__(self, memo: dict) -> "_Handover":
        return self

    def __getstate__(self) -> dict:
        # Tune writes its callbacks to the disk for a restore that we do not use.
        return {}

    def on_trial_start(self, iteration: int, trials: list, trial: Any, **_: Any) -> None:
        self._dashboard.begin(trial.config["trial"])
        self._metrics.begin(trial.config["trial"])

    def on_step_end(self, iteration: int, trials: list, **_: Any) -> None:
        self._metrics.again()

    def on_trial_result(
        self, iteration: int, trials: list, trial: Any, result: dict, **_: Any
    ) -> None:
        parcel = result.pop("parcel", None)
        content = parcel.take() if parcel else None
        if content is None:
            return
        try:
            self._hand_over(trial.config["trial"], content, last=bool(result["done"]))
        except Exception as error:
            self.error = error  # Tune would bury it in the text of another.
            raise

    def _hand_over(self, name: str, content: Any, *, last: bool) -> None:
        if isinstance(content, str):
            self._fail(name, content)
        elif hasattr(content, "rows"):
            self._dashboard.round(name, content.control, scalars(content), last=last)
            self._metrics.outcome(name, content, last=last)
            self._outcome(name, content)
            if content.continuation is not None or last:
                self._shelf.put(name, content.continuation)
        else:
            self._dashboard.progress(name, content.control, scalars(content))
            self._metrics.progress(name, content)
            self._progress(name, content)

    def on_trial_error(self, iteration: int, trials: list, trial: Any, **_: Any) -> None:
        self._fail(trial.config["trial"], f"its worker died, and {WORKER_DEATHS} that took over")

    def _fail(self, name: str, reason: str) -> None:
        self._dashboard.failed(name, reason)
        self._metrics.failed(name)
        self._failed(name, reason)
