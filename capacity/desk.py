"""What trials report, in the driver: shown at once, on the disk as soon as a trial is complete."""

from collections.abc import Mapping

from capacity.board import Board
from capacity.config import Config
from capacity.lottery import TICKET
from capacity.rows import TABLES
from capacity.store import Store
from capacity.subject import Progress
from capacity.trial import Outcome


class Desk:
    """Takes reports by trial; the rounds of a trial wait here until its last."""

    def __init__(self, store: Store, board: Board, trials: Mapping[str, Config]):
        self.board = board
        self.devices: set[str] = set()
        self._store, self._trials = store, trials
        self._outcomes: dict[str, list[Outcome]] = {}

    def progress(self, trial: str, now: Progress) -> None:
        """Where a trial is."""
        status = [] if now.control == TICKET else [now.control]
        if now.validation_loss is not None and now.validation_accuracy is not None:
            status = [f"round {now.round}", *status]
            status += [f"loss {now.validation_loss:.3f} accuracy {now.validation_accuracy:.4f}"]
        if now.saturation:
            status += ["saturation " + " ".join(f"{s:.2f}" for s in now.saturation.values())]
        part = now.validation_loss is None
        self.board.training(trial, now.step, now.steps, " ".join(status), part=part)

    def outcome(self, trial: str, outcome: Outcome) -> None:
        """What a trial has to say, in order; its last word writes the trial."""
        if outcome.behind == 0:
            self._outcomes[trial] = []  # A worker that died may have reported rounds before.
        self._outcomes[trial].append(outcome)
        self.devices.add(outcome.device)
        if networks := outcome.rows.get("networks"):
            self.board.round(networks)
        for row in outcome.rows.get("capacities", []):
            self.board.capacity(row)
        if len(self._outcomes[trial]) == self._trials[trial].outcomes:
            self._write(trial, self._outcomes.pop(trial))

    def failed(self, trial: str, reason: str) -> None:
        """A trial that ended without its rows."""
        self._outcomes.pop(trial, None)
        self.board.failed(trial, reason)

    def _write(self, trial: str, outcomes: list[Outcome]) -> None:
        self._store.write_trial(
            trial,
            self._trials[trial].model_dump(mode="json"),
            files={name: file for o in outcomes for name, file in o.files.items()},
            **{kind: [row for o in outcomes for row in o.rows.get(kind, [])] for kind in TABLES},
        )
        self.board.finished(trial)
