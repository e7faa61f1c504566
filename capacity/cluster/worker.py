"""The worker's side: a process that runs trials, pack after pack, and what it sends."""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ray
from ray import tune

from capacity import device
from capacity.background import Background
from capacity.cluster.shelf import Shelf
from capacity.cluster.shifts import Shift
from capacity.config import Config

REPORT_SECONDS = 2.0


class PopulationTrial(tune.Trainable):
    """A warm worker: it runs one pack of trials after the other and keeps its compiled programs.

    The trials compute in a thread of their own; a Tune iteration is a finished round of one of
    them, or the latest progress where a round takes longer than `REPORT_SECONDS`.
    """

    background = Background

    def setup(
        self,
        config: dict[str, Any],
        shifts: Mapping[str, ray.ObjectRef] | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        """Claims cores for the life of the process, then starts the first pack."""
        self._shifts, self._shelf = shifts or {}, shelf
        self._trials: Any = None
        cpus = next(iter(self._shift(config).packs[0].values())).resources.cpus
        locks = Path(tempfile.gettempdir()) / f"capacity-{os.getuid()}"
        self._cores = contextlib.ExitStack()
        self._cores.enter_context(device.pinned(cpus, locks))
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Starts another shift in the same process."""
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Waits for the next round, or looks at the current one after a while."""
        if self._trials.done:
            return {"done": True}
        try:
            name, said = self._trials.next(REPORT_SECONDS)
            names, over = (name,), name not in self._trials.left
        except Exception as error:  # The same would happen again, so Tune is not to try again.
            names, said, over = tuple(self._trials.left), error, True
            self._trials.left.clear()
        if isinstance(said, Exception):
            said = f"{type(said).__name__}: {said}"
        if self._trials.done:
            self._next()
        # What a scheduler decides by; of many trials in one, Tune would keep all that they say.
        shown = scalars(said) if self._proposed and not isinstance(said, str) else {}
        return {**shown, "parcel": Parcel(Report(names, said, over)), "done": self._trials.done}

    def cleanup(self) -> None:
        """Ends the thread and frees the cores."""
        self._trials.stop()
        self._cores.close()

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: what a trial goes on from is on the driver's shelf, not in a shared folder."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing to load."""

    def _begin(self, config: dict[str, Any]) -> None:
        shift = self._shift(config)
        self._name, self._proposed = config["trial"], "settings" in config
        self._packs = list(shift.packs)
        self._next()

    def _next(self) -> None:
        """The next pack of which something is left to do, or none."""
        if self._trials is not None:
            self._trials.stop()
        pack: Mapping[str, Config] = {}
        left: dict[str, bytes | None] = {}
        while self._packs and not left:
            pack = self._packs.pop(0)
            left = self._taken(pack)
        if self._shelf is not None:
            # Before they do: a worker that dies tells nothing.
            self._shelf.runs(self._name, list(left))
        self._trials = self.background({name: pack[name] for name in left}, left)

    def _taken(self, pack: Mapping[str, Config]) -> dict[str, bytes | None]:
        """What is left of a pack to run now; suspects wait, each for a turn of its own."""
        if self._shelf is None:
            return dict.fromkeys(pack)
        left, suspects = self._shelf.take(list(pack))
        if not suspects or len(left) == 1:
            return left
        alone = [{name: pack[name]} for name in left if name in suspects]
        self._packs = [*alone, *self._packs]
        return {name: start for name, start in left.items() if name not in suspects}

    def _shift(self, config: dict[str, Any]) -> Shift:
        """One known from the start, or a trial that came with its settings when it was proposed."""
        name = config["trial"]
        if settings := config.get("settings"):
            return Shift(name, [{name: Config.model_validate_json(settings)}])
        return ray.get(self._shifts[name])


class Report(NamedTuple):
    """What trials say: where one is, an outcome, or why it failed.

    Attributes:
      trials: one, or all of a pack that failed.
      over: whether this is its last word.
    """

    trials: tuple[str, ...]
    said: Any
    over: bool


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
    """Numbers that the dashboard, TensorBoard and MLflow show, and by which Tune stops trials."""
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
