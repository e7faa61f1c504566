"""Tools that record the scalars of every trial, fed in the driver."""

import math
import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from capacity.config import Config, flatten


class Tool(Protocol):
    """What records scalars, trial by trial."""

    def begin(self, trial: str, config: Config) -> None:
        """A trial runs, for the first time or again."""
        ...

    def scalars(self, trial: str, report: int, values: Mapping[str, float]) -> None:
        """What its report of that number says."""
        ...

    def end(self, trial: str, *, failed: bool) -> None:
        """It has said its last word."""
        ...


class Tracking:
    """All tools of a sweep; those of the `tracking` section.

    Tune has its own for its own trials, which are several of ours each.
    """

    def __init__(self, example: Config, folder: Path, name: str):
        self._tools = _tools(example, folder, name)
        self._reports: dict[str, int] = {}

    def begin(self, trial: str, config: Config) -> None:
        """A trial runs, for the first time or again."""
        self._reports[trial] = 0
        for tool in self._tools:
            tool.begin(trial, config)

    def scalars(self, trial: str, values: Mapping[str, float]) -> None:
        """What a report says; NaN says nothing."""
        self._reports[trial] += 1
        known = {name: value for name, value in values.items() if not math.isnan(value)}
        for tool in self._tools:
            tool.scalars(trial, self._reports[trial], known)

    def end(self, trial: str, *, failed: bool = False) -> None:
        """A trial has said its last word."""
        if self._reports.pop(trial, None) is not None:
            for tool in self._tools:
                tool.end(trial, failed=failed)


def _tools(example: Config, folder: Path, name: str) -> Sequence[Tool]:
    tracking, found = example.tracking, []
    if "tensorboard" in tracking.tools:
        found.append(_TensorBoard(folder))
    if "mlflow" in tracking.tools:
        folder.mkdir(parents=True, exist_ok=True)
        file = f"sqlite:///{folder.absolute() / 'mlflow.db'}"
        uri = tracking.mlflow_uri or os.environ.get("MLFLOW_TRACKING_URI") or file
        found.append(_MLflow(uri, name))
    return found


class _TensorBoard:
    """A folder of events per trial."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def begin(self, trial: str, config: Config) -> None:
        from tensorboardX import SummaryWriter  # noqa: PLC0415 - only where it is wanted

        if trial not in self._writers:
            self._writers[trial] = SummaryWriter(str(self._folder / trial))

    def scalars(self, trial: str, report: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writers[trial].add_scalar(name, value, report)

    def end(self, trial: str, *, failed: bool) -> None:
        self._writers.pop(trial).close()


class _MLflow:
    """A run per trial, by its name, with all of its settings as parameters."""

    def __init__(self, uri: str, name: str):
        mlflow: Any = import_module("mlflow")  # an extra
        self._client = mlflow.MlflowClient(uri)
        known = self._client.get_experiment_by_name(name)
        self._experiment = known.experiment_id if known else self._client.create_experiment(name)
        self._runs: dict[str, str] = {}

    def begin(self, trial: str, config: Config) -> None:
        if trial in self._runs:
            return
        run = self._client.create_run(self._experiment, run_name=trial)
        self._runs[trial] = run.info.run_id
        for key, value in flatten(config).items():
            self._client.log_param(run.info.run_id, key, value)

    def scalars(self, trial: str, report: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._client.log_metric(self._runs[trial], name, value, step=report)

    def end(self, trial: str, *, failed: bool) -> None:
        status = "FAILED" if failed else "FINISHED"
        self._client.set_terminated(self._runs.pop(trial), status)
