"""What trials report, in the driver: shown at once, on the disk as soon as a trial is complete."""

from collections.abc import Mapping

from capacity.board import Board
from capacity.config import Config
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
        status = (
            f"round {now.round} loss {now.validation_loss:.3f} "
            f"accuracy {now.validation_accuracy:.4f}"
        )
        self.board.training(trial, now.step, now.steps, status)

    def outcome(self, trial: str, outcome: Outcome) -> None:
        """A round, in order; the last one writes the trial."""
        if outcome.round == 0:
            self._outcomes[trial] = []  # A worker that died may have reported rounds before.
        self._outcomes[trial].append(outcome)
        self.devices.add(outcome.device)
        if outcome.networks:
            self.board.round(outcome.networks)
        for row in outcome.capacities:
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
            networks=[row for o in outcomes for row in o.networks],
            layers=[row for o in outcomes for row in o.layers],
            curves=[row for o in outcomes for row in o.curves],
            codecs=[row for o in outcomes for row in o.codecs],
            memorised=[row for o in outcomes for row in o.memorised],
            capacities=[row for o in outcomes for row in o.capacities],
            files={name: file for o in outcomes for name, file in o.files.items()},
        )
        self.board.finished(trial)
