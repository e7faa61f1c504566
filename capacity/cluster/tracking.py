"""Tools that record the scalars of every trial, fed by Tune in the driver."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ray import tune

from capacity.cluster.shifts import Shift
from capacity.config import Config, flatten


def callbacks(
    trials: Mapping[str, Config], planned: Mapping[str, Shift], folder: Path, name: str
) -> list[tune.Callback]:
    """Those of `tracking` in the configuration; TensorBoard's Tune itself brings.

    Args:
      trials: their configurations; more may come while the sweep runs.
      planned: the shifts of those that are known before.
    """
    tracking = next(iter(trials.values())).tracking
    # Tune writes TensorBoard's files beside its own; without it, none of them.
    automatic = "0" if "tensorboard" in tracking.tools else "1"
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = automatic
    if "mlflow" not in tracking.tools:
        return []
    file = f"sqlite:///{folder.absolute() / 'mlflow.db'}"
    folder.mkdir(parents=True, exist_ok=True)
    uri = tracking.mlflow_uri or os.environ.get("MLFLOW_TRACKING_URI") or file
    return [_mlflow(trials, planned, uri, name)]


def _mlflow(
    trials: Mapping[str, Config], planned: Mapping[str, Shift], uri: str, name: str
) -> tune.Callback:
    """A run per trial of Tune, with all settings that its own trials share as parameters."""
    from ray.air.integrations.mlflow import MLflowLoggerCallback  # noqa: PLC0415 - an extra

    class Runs(MLflowLoggerCallback):
        def log_trial_start(self, trial: Any) -> None:
            known = trial in self._trial_runs
            super().log_trial_start(trial)
            if not known:
                name = trial.config["trial"]
                own = planned[name].trials if name in planned else [name]
                settings = _shared([flatten(trials[each]) for each in own])
                self.mlflow_util.log_params(run_id=self._trial_runs[trial], params_to_log=settings)

    return Runs(tracking_uri=uri, experiment_name=name)


def _shared(settings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first, *others = settings
    return {k: v for k, v in first.items() if all(other[k] == v for other in others)}
