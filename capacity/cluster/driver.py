"""The driver's side: trials as a Tune run, and what they report handed over in this process."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ray import tune

from capacity.cluster.asking import Asked, asha, search_of
from capacity.cluster.dashboard import Dashboard
from capacity.cluster.worker import PopulationTrial, scalars
from capacity.config import Config, Search

STOPPED = "stopped early"
"""How the reason of a trial begins that was ended for being worse than others."""


def run(
    trials: Mapping[str, Config],
    dashboard: Dashboard,
    folder: Path,
    name: str,
    *,
    progress: Callable[[str, Any], None],
    outcome: Callable[[str, Any], object],
    failed: Callable[[str, str], None],
    verbose: bool,
    asked: Asked | None = None,
    search: Search | None = None,
) -> None:
    """Runs `trials` on the connected cluster and hands over what they report, in this process.

    Args:
      folder: where Tune keeps its own logs (TensorBoard's among them).
      progress: (trial, `subject.Progress`), every few seconds.
      outcome: (trial, `trial.Outcome`), once per round, in order.
      failed: (trial, reason), for a trial that raised or was stopped early.
      asked: who proposes the trials of a `search`; `trials` are then its examples and do not run.
    """
    resources = next(iter(trials.values())).resources
    configs = {trial: config.model_dump_json() for trial, config in trials.items()}
    handover = _Handover(dashboard, progress, outcome, failed)
    worker = tune.with_resources(
        tune.with_parameters(PopulationTrial, configs=configs),
        {"cpu": resources.cpus, "gpu": resources.gpus},
    )
    worker.__qualname__ = PopulationTrial.__qualname__  # as the dashboard calls the worker
    tuner = tune.Tuner(
        worker,
        param_space={} if asked else {"trial": tune.grid_search(list(trials))},
        tune_config=tune.TuneConfig(
            search_alg=search_of(asked) if asked else None,
            scheduler=asha(search) if search else None,
            num_samples=asked.left if asked else 1,
            reuse_actors=True,
            trial_name_creator=lambda trial: trial.config["trial"],
            trial_dirname_creator=lambda trial: trial.config["trial"],
        ),
        run_config=tune.RunConfig(
            name=name,
            storage_path=str(folder.absolute()),
            failure_config=tune.FailureConfig(max_failures=1),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            callbacks=[handover],
            verbose=1 if verbose else 0,
            progress_reporter=_reporter() if verbose else None,
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
        self, dashboard: Dashboard, progress: Callable, outcome: Callable, failed: Callable
    ):
        self._dashboard = dashboard
        self._progress, self._outcome, self._failed = progress, outcome, failed
        self.error: Exception | None = None

    def __deepcopy__(self, memo: dict) -> "_Handover":
        return self

    def __getstate__(self) -> dict:
        # Tune writes its callbacks to the disk for a restore that we do not use.
        return {}

    def on_trial_start(self, iteration: int, trials: list, trial: Any, **_: Any) -> None:
        self._dashboard.begin(trial.config["trial"])

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
            self._outcome(name, content)
        elif last:
            self._dashboard.stopped(name)
            self._failed(name, f"{STOPPED} at step {content.step} of {content.steps}")
        else:
            self._progress(name, content)

    def on_trial_error(self, iteration: int, trials: list, trial: Any, **_: Any) -> None:
        self._fail(trial.config["trial"], "its worker died, and so did the one that took over")

    def _fail(self, name: str, reason: str) -> None:
        self._dashboard.failed(name, reason)
        self._failed(name, reason)


def _reporter() -> tune.CLIReporter:
    columns = ("round", "density", "validation_accuracy", "test_accuracy", "coded_size")
    return tune.CLIReporter(
        metric_columns=list(columns), parameter_columns=["-"], max_report_frequency=30
    )
