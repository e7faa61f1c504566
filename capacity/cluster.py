"""Trials spread over Ray Tune; the only importer of ray.

A trial is one population. Workers live as long as the sweep and keep what they compiled; the driver
alone writes rows, which reach it through Ray's object store.
"""

import contextlib
import logging
import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ray
from ray import tune

from capacity import device
from capacity.background import Background
from capacity.config import Config, Resources

REPORT_SECONDS = 2.0


class ClusterError(ConnectionError):
    """A cluster that cannot be reached, or cannot hold the trials, in one sentence."""


@contextlib.contextmanager
def connected(
    address: str | None, resources: Resources, variables: Mapping[str, str]
) -> Iterator[str]:
    """A running Ray: the cluster at `address`, or one of this machine alone; gives the dashboard.

    A cluster that we start ends with the block. It listens on loopback only where the environment
    says so before ray is imported, as `capacity.sweep` sees to.

    Raises:
      ClusterError: nothing answers at `address`, or no node has the resources of one trial.
    """
    _answers(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray runs workers at the lowest priority: pinned to a busy core, they would starve.
    os.environ.setdefault("RAY_worker_niceness", "0")
    # An interrupt is ours to report: Tune's own handler would end the sweep as if it were done.
    os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")  # The table with columns of our choice.
    if address is None:
        # Workers inherit this process's environment; a runtime environment would start them twice.
        where: dict[str, Any] = {"include_dashboard": True, "dashboard_host": "127.0.0.1"}
        os.environ.update(variables)
    else:
        where = {"runtime_env": {"env_vars": dict(variables)}}
    try:
        context = ray.init(
            address=address or "local",
            logging_level=logging.ERROR,
            log_to_driver=False,
            **where,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ClusterError(f"--address {address}: {' '.join(str(error).split())}") from None
    try:
        _holds(resources)
        yield context.dashboard_url or ""
    finally:
        ray.shutdown()


def run(
    trials: Mapping[str, Config],
    folder: Path,
    name: str,
    *,
    progress: Callable[[str, Any], None],
    outcome: Callable[[str, Any], None],
    failed: Callable[[str, str], None],
    verbose: bool,
) -> None:
    """Runs `trials` on the connected cluster and hands over what they report, in this process.

    Args:
      folder: where Tune keeps its own logs (TensorBoard's among them).
      progress: (trial, `subject.Progress`), every few seconds.
      outcome: (trial, `trial.Outcome`), once per round, in order.
      failed: (trial, reason), for a trial that raised.
    """
    resources = next(iter(trials.values())).resources
    configs = {trial: config.model_dump_json() for trial, config in trials.items()}
    handover = _Handover(progress, outcome, failed)
    tuner = tune.Tuner(
        tune.with_resources(
            tune.with_parameters(PopulationTrial, configs=configs),
            {"cpu": resources.cpus, "gpu": resources.gpus},
        ),
        param_space={"trial": tune.grid_search(list(trials))},
        tune_config=tune.TuneConfig(
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
            progress_reporter=_table() if verbose else None,
        ),
    )
    try:
        tuner.fit()
    except tune.TuneError:
        if handover.error is not None:
            raise handover.error from None
        raise


class Parcel:
    """What travels with a result to the driver and is taken out there, before Tune stores it."""

    def __init__(self, content: Any):
        self._content = content

    def take(self) -> Any:
        """The content, once; None afterwards."""
        content, self._content = self._content, None
        return content

    def __repr__(self) -> str:
        return "rows"


class PopulationTrial(tune.Trainable):
    """A warm worker: it runs one trial after the other and keeps its compiled programs.

    The trial computes in a thread of its own; a Tune iteration is a finished round, or the latest
    progress where a round takes longer than `REPORT_SECONDS`.
    """

    def setup(self, config: dict[str, Any], configs: Mapping[str, str] | None = None) -> None:
        """Claims cores for the life of the process, then starts the first trial."""
        self._configs = configs or {}
        cpus = Config.model_validate_json(self._configs[config["trial"]]).resources.cpus
        locks = Path(tempfile.gettempdir()) / f"capacity-{os.getuid()}"
        self._cores = contextlib.ExitStack()
        self._cores.enter_context(device.pinned(cpus, locks))
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Starts another trial in the same process."""
        self._trial.stop()
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Waits for the next round, or looks at the current one after a while."""
        try:
            content = self._trial.next(REPORT_SECONDS)
        except Exception as error:  # The same would happen again, so Tune is not to try again.
            return {"parcel": Parcel(f"{type(error).__name__}: {error}"), "done": True}
        done = self._trial.outcomes_left == 0
        return {**_scalars(content), "parcel": Parcel(content), "done": done}

    def cleanup(self) -> None:
        """Ends the thread and frees the cores."""
        self._trial.stop()
        self._cores.close()

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: a trial whose worker dies starts again."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing to load."""

    def _begin(self, config: dict[str, Any]) -> None:
        trial = config["trial"]
        self._trial = Background(Config.model_validate_json(self._configs[trial]), trial)


def _marks() -> Any:
    """An actor for the dashboard, which has no tab for trials: its tasks' names are the rounds.

    A local class travels by value, so that its process starts without importing this package.
    """

    class Rounds:
        def round(self) -> None:
            pass

    return ray.remote(num_cpus=0)(Rounds).remote()


class _Handover(tune.Callback):
    """Takes the parcels out of Tune's results, in the driver."""

    def __init__(self, progress: Callable, outcome: Callable, failed: Callable):
        self._progress, self._outcome, self._failed = progress, outcome, failed
        self.error: Exception | None = None
        self._marks = _marks()

    def __deepcopy__(self, memo: dict) -> "_Handover":
        return self

    def __getstate__(self) -> dict:
        # Tune writes its callbacks to the disk for a restore that we do not use.
        return {}

    def on_trial_result(
        self, iteration: int, trials: list, trial: Any, result: dict, **_: Any
    ) -> None:
        parcel = result.pop("parcel", None)
        content = parcel.take() if parcel else None
        if content is None:
            return
        try:
            self._hand_over(trial.config["trial"], content)
        except Exception as error:
            self.error = error  # Tune would bury it in the text of another.
            raise

    def _hand_over(self, name: str, content: Any) -> None:
        if isinstance(content, str):
            self._failed(name, content)
        elif hasattr(content, "networks"):
            shown = {key: f"{value:.4g}" for key, value in _scalars(content).items()}
            words = " ".join(f"{key}={value}" for key, value in shown.items())
            self._marks.round.options(name=f"{name} {words}").remote()
            self._outcome(name, content)
        else:
            self._progress(name, content)

    def on_trial_error(self, iteration: int, trials: list, trial: Any, **_: Any) -> None:
        self._failed(trial.config["trial"], "its worker died, and so did the one that took over")


def _scalars(content: Any) -> dict[str, Any]:
    """Numbers that Tune's table, TensorBoard and the dashboard show."""
    if hasattr(content, "networks"):
        rows = content.networks
        shown = ("density", "validation_accuracy", "test_accuracy", "weight_entropy", "coded_size")
        means = {name: _mean([getattr(row, name) for row in rows]) for name in shown}
        return {"round": content.round, **means}
    return {
        "round": content.round,
        "training_step": content.step,
        "validation_loss": content.validation_loss,
        "validation_accuracy": content.validation_accuracy,
    }


def _mean(values: list) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("nan")


def _table() -> tune.CLIReporter:
    columns = ("round", "density", "validation_accuracy", "test_accuracy", "coded_size")
    return tune.CLIReporter(
        metric_columns=list(columns), parameter_columns=["-"], max_report_frequency=30
    )


def _answers(address: str | None) -> None:
    """Refuses an address at which nothing listens, at once: Ray itself tries for minutes."""
    if address is None or address in ("auto", "local"):
        return
    if address.startswith("ray://"):
        raise ClusterError(
            f"--address {address}: a Ray client cannot hand rows to this process; "
            "run on a node of the cluster with host:6379, or by `ray job submit`"
        )
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=5):
            pass
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"--address {address}: nothing answers there ({error}); start a cluster with "
            "`ray start --head`, or leave --address out to use this machine"
        ) from None


def _holds(resources: Resources) -> None:
    cpus, gpus = resources.cpus, resources.gpus
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(n.get("CPU", 0) >= cpus and n.get("GPU", 0) >= gpus for n in nodes):
        raise ClusterError(
            f"resources.cpus = {cpus:g}, resources.gpus = {gpus:g}: no node has that much"
        )
