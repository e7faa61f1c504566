"""What trials report, in the driver: shown at once, on the disk as soon as a trial is complete."""

import math
from collections.abc import Mapping
from dataclasses import replace

from capacity.board import Board
from capacity.config import Config
from capacity.lottery import TICKET
from capacity.rows import TABLES, CandidateRow, LedgerRow
from capacity.store import Store
from capacity.subject import Progress
from capacity.trial import Outcome


class Desk:
    """Takes reports by trial; the rounds of a trial wait here until its last.

    Args:
      trials: their configurations; more may come while the sweep runs.
      candidates: of a search, the row of each.
      searched: trials of that search in all.
    """

    def __init__(
        self,
        store: Store,
        board: Board,
        trials: Mapping[str, Config],
        candidates: Mapping[str, CandidateRow] | None = None,
        searched: int | None = None,
    ):
        self.board = board
        self._candidates = {} if candidates is None else candidates
        self._search_bits = None if searched is None else math.log2(searched)
        self.devices: set[str] = set()
        self.stopped: set[str] = set()
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
        self.board.training(trial, now.step, now.steps, " ".join(status))

    def outcome(self, trial: str, outcome: Outcome) -> bool:
        """What a trial has to say, in order; whether it was the last word, which writes it."""
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
            return True
        return False

    def failed(self, trial: str, reason: str, *, stopped: bool = False) -> None:
        """A trial that ended without its rows, by a fault or because it was `stopped`."""
        self._outcomes.pop(trial, None)
        if stopped:
            self.stopped.add(trial)
            self.board.say(f"{trial} {reason}")
            self.board.finished(trial)
            return
        self.board.failed(trial, reason)

    def _write(self, trial: str, outcomes: list[Outcome]) -> None:
        rows = {kind: [row for o in outcomes for row in o.rows.get(kind, [])] for kind in TABLES}
        rows["ledger"] = [self._charged(row) for row in rows["ledger"]]
        if trial in self._candidates:
            rows["candidates"] = [self._candidates[trial]]
        self._store.write_trial(
            trial,
            self._trials[trial].model_dump(mode="json"),
            files={name: file for o in outcomes for name, file in o.files.items()},
            **rows,
        )
        self.board.finished(trial)

    def _charged(self, row: LedgerRow) -> LedgerRow:
        """The row with what naming its trial takes."""
        return row if self._search_bits is None else replace(row, search_bits=self._search_bits)
