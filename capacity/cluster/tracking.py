"""Tools that record the scalars of every trial, fed in the driver."""

import math
import os
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from capacity.config import Config, flatten

MOST_WRITERS = 100


class Tool(Protocol):
    """What records scalars, trial by trial."""

    def begin(self, trial: str, config: Config) -> None:
        """A trial runs, for the first time or again."""
        ...

    def scalars(self, trial: str, report: int, values: Mapping[str, float]) -> None:
        """What its report of that number says."""
        ...

    def end(self, trial: str, status: str) -> None:
        """It has FINISHED or FAILED, or was KILLED."""
        ...


class Tracking:
    """All tools of a sweep; those of the `tracking` section.

    Tune has its own for its own trials, which are several of ours each.
    """

    def __init__(
        self, example: Config, folder: Path, name: str, say: Callable[[str], object] = print
    ):
        self._tools, self._say = _tools(example, folder, name), say
        self._reports: dict[str, int] = {}

    def begin(self, trial: str, config: Config) -> None:
        """A trial runs, for the first time or again."""
        self._reports.setdefault(trial, 0)
        self._told(lambda tool: tool.begin(trial, config))

    def scalars(self, trial: str, values: Mapping[str, float]) -> None:
        """What a report says; NaN says nothing."""
        self._reports[trial] += 1
        known = {name: value for name, value in values.items() if not math.isnan(value)}
        self._told(lambda tool: tool.scalars(trial, self._reports[trial], known))

    def end(self, trial: str, *, failed: bool = False) -> None:
        """A trial has said its last word."""
        if self._reports.pop(trial, None) is not None:
            self._told(lambda tool: tool.end(trial, "FAILED" if failed else "FINISHED"))

    def close(self) -> None:
        """Whatever has not ended was interrupted."""
        for trial in list(self._reports):
            self._told(lambda tool, trial=trial: tool.end(trial, "KILLED"))

    def _told(self, what: Callable[[Tool], None]) -> None:
        """A tool that cannot record, as its server is away, is no reason to lose a sweep."""
        for tool in list(self._tools):
            try:
                what(tool)
            except Exception as error:
                self._tools.remove(tool)
                self._say(f"{type(tool).__name__.strip('_')} records no more: {error}")


def _tools(example: Config, folder: Path, name: str) -> list[Tool]:
    tracking, found = example.tracking, list[Tool]()
    if "tensorboard" in tracking.tools:
        found.append(_TensorBoard(folder))
    if "mlflow" in tracking.tools:
        folder.mkdir(parents=True, exist_ok=True)
        file = f"sqlite:///{folder.absolute() / 'mlflow.db'}"
        uri = tracking.mlflow_uri or os.environ.get("MLFLOW_TRACKING_URI") or file
        found.append(_MLflow(uri, name))
    return found


class _TensorBoard:
    """A folder of events per trial; of a large pack, few are written at a time."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def begin(self, trial: str, config: Config) -> None:
        """Its writer opens with its first scalars."""

    def scalars(self, trial: str, report: int, values: Mapping[str, float]) -> None:
        from tensorboardX import SummaryWriter  # noqa: PLC0415 - only where it is wanted

        if trial not in self._writers:
            if len(self._writers) >= MOST_WRITERS:
                self._writers.pop(next(iter(self._writers))).close()
            self._writers[trial] = SummaryWriter(str(self._folder / trial))
        for name, value in values.items():
            self._writers[trial].add_scalar(name, value, report)

    def end(self, trial: str, status: str) -> None:
        if (writer := self._writers.pop(trial, None)) is not None:
            writer.close()


class _MLflow:
    """A run per trial, by its name, with all of its settings as parameters."""

    def __init__(self, uri: str, name: str):
        mlflow: Any = import_module("mlflow")  # an extra
        self._client, self._entities = mlflow.MlflowClient(uri), mlflow.entities
        known = self._client.get_experiment_by_name(name)
        self._experiment = known.experiment_id if known else self._client.create_experiment(name)
        self._runs: dict[str, str] = {}

    def begin(self, trial: str, config: Config) -> None:
        """Goes on with the run of a sweep before."""
        if trial in self._runs:
            return
        named = f"attributes.run_name = '{trial}'"
        if known := self._client.search_runs([self._experiment], named):
            self._runs[trial] = known[0].info.run_id
            self._client.update_run(self._runs[trial], status="RUNNING")
            return
        run = self._client.create_run(self._experiment, run_name=trial)
        self._runs[trial] = run.info.run_id
        settings = [self._entities.Param(key, str(v)) for key, v in flatten(config).items()]
        self._client.log_batch(run.info.run_id, params=settings)

    def scalars(self, trial: str, report: int, values: Mapping[str, float]) -> None:
        now = int(1000 * time.time())
        said = [self._entities.Metric(name, v, now, report) for name, v in values.items()]
        self._client.log_batch(self._runs[trial], metrics=said)

    def end(self, trial: str, status: str) -> None:
        self._client.set_terminated(self._runs.pop(trial), status)
