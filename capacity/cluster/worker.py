"""The worker's side: a process that runs one trial after the other, and what it sends."""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import tune

from capacity import device
from capacity.background import Background
from capacity.cluster.shelf import Shelf
from capacity.config import Config

REPORT_SECONDS = 2.0


class PopulationTrial(tune.Trainable):
    """A warm worker: it runs one trial after the other and keeps its compiled programs.

    The trial computes in a thread of its own; a Tune iteration is a finished round, or the latest
    progress where a round takes longer than `REPORT_SECONDS`.
    """

    def setup(
        self,
        config: dict[str, Any],
        configs: Mapping[str, str] | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        """Claims cores for the life of the process, then starts the first trial."""
        self._configs, self._shelf = configs or {}, shelf
        cpus = self._config(config).resources.cpus
        locks = Path(tempfile.gettempdir()) / f"capacity-{os.getuid()}"
        self._cores = contextlib.ExitStack()
        self._cores.enter_context(device.pinned(cpus, locks))
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Starts another trial in the same process."""
        self._trial.stop()
        device.make_room()
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Waits for the next round, or looks at the current one after a while."""
        try:
            content = self._trial.next(REPORT_SECONDS)
        except Exception as error:  # The same would happen again, so Tune is not to try again.
            return {"parcel": Parcel(f"{type(error).__name__}: {error}"), "done": True}
        return {**scalars(content), "parcel": Parcel(content), "done": self._trial.done}

    def cleanup(self) -> None:
        """Ends the thread and frees the cores."""
        self._trial.stop()
        self._cores.close()

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: what a trial goes on from is on the driver's shelf, not in a shared folder."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing to load."""

    def _begin(self, config: dict[str, Any]) -> None:
        name = config["trial"]
        continuation = self._shelf.take(name) if self._shelf else None
        self._trial = Background(self._config(config), name, continuation)

    def _config(self, config: dict[str, Any]) -> Config:
        """That of a trial known from the start, or what came with one that was proposed."""
        settings = config.get("settings") or self._configs[config["trial"]]
        return Config.model_validate_json(settings)


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


def scalars(content: Any) -> dict[str, Any]:
    """Numbers that Tune's table, TensorBoard and the dashboard show."""
    if hasattr(content, "rows"):
        if capacities := content.rows.get("capacities"):
            capacity = capacities[0].capacity
            return {"round": 0, "capacity": float("nan") if capacity is None else capacity}
        rows = content.rows["networks"]
        shown = ("density", "validation_accuracy", "test_accuracy", "weight_entropy", "coded_size")
        means = {name: _mean([getattr(row, name) for row in rows]) for name in shown}
        return {"round": content.round, **means}
    now = {"round": content.round, "training_step": content.step}
    seen = {"validation_loss": content.validation_loss}
    seen |= {f"saturation/{name}": value for name, value in (content.saturation or {}).items()}
    seen["validation_accuracy"] = content.validation_accuracy
    return now | {name: value for name, value in seen.items() if value is not None}


def _mean(values: list) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("nan")
