"""What trials report, in the driver: shown at once, and at once on the disk."""

from collections.abc import Mapping
from typing import Any

from capacity.board import Board
from capacity.config import ELSEWHERE, Config
from capacity.lottery import TICKET
from capacity.rows import TABLES
from capacity.store import Store
from capacity.subject import Progress
from capacity.trial import Outcome


class Desk:
    """Takes reports by trial; the last one makes a trial of what is kept of the others."""

    def __init__(self, store: Store, board: Board, trials: Mapping[str, Config]):
        self.board = board
        self.devices: set[str] = set()
        self._store, self.trials = store, trials

    @property
    def unfinished(self) -> set[str]:
        """Its trials that are not on the disk."""
        return self.trials.keys() - self._store.finished()

    def continuation(self, trial: str) -> bytes | None:
        """From where a trial goes on, if some of it is on the disk."""
        return self._store.rounds.latest(trial, self._deciding(trial))

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
        self.devices.add(outcome.device)
        if networks := outcome.rows.get("networks"):
            self.board.round(networks)
        for row in outcome.rows.get("capacities", []):
            self.board.capacity(row)
        kept = {kind: outcome.rows[kind] for kind in TABLES if outcome.rows.get(kind)}
        rounds = self._store.rounds
        if outcome.behind + 1 < self.trials[trial].outcomes:
            rounds.keep(
                trial,
                outcome.behind,
                self._deciding(trial),
                tables=kept,
                files=outcome.files,
                continuation=outcome.continuation,
            )
            return
        before = rounds.take(trial, outcome.behind)
        settings = self.trials[trial].model_dump(mode="json")
        self._store.write_trial(trial, settings, files=outcome.files, before=before, **kept)
        self.board.finished(trial)

    def failed(self, trial: str, reason: str) -> None:
        """A trial that ended without its rows."""
        self.board.failed(trial, reason)

    def _deciding(self, trial: str) -> dict[str, Any]:
        return deciding(self.trials[trial])


def deciding(config: Config) -> dict[str, Any]:
    """Settings that decide the rows: a sweep may go on elsewhere, and be tracked otherwise."""
    return config.model_dump(mode="json", exclude=set(ELSEWHERE))
