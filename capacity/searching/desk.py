"""The desk of a search: it also proposes trials, and charges for the choice among them."""

import math
from dataclasses import replace
from typing import Any

from capacity.board import Board
from capacity.config import Config, Search
from capacity.desk import Desk
from capacity.rows import CandidateRow
from capacity.searching.hunt import Candidate, Hunt
from capacity.store import Store
from capacity.trial import Outcome


class SearchDesk(Desk):
    """Takes reports by trial, and tells the search how each of them ended."""

    def __init__(self, store: Store, board: Board, search: Search, hunt: Hunt):
        self._proposed: dict[str, Config] = {}
        super().__init__(store, board, self._proposed)
        self.search, self._hunt = search, hunt
        self._rows: dict[str, CandidateRow] = {}
        self._bits = math.log2(search.trials)

    @property
    def left(self) -> int:
        """How many trials may still be proposed."""
        return self._hunt.left

    def next(self) -> Candidate | None:
        """The trial to run now; None if there are no more."""
        candidate = self._hunt.next()
        if candidate is not None:
            self._proposed[candidate.trial] = candidate.config
            self._rows[candidate.trial] = candidate.row
        return candidate

    def propose(self) -> tuple[str, Config] | None:
        """The same, of trials that start from drawn weights."""
        candidate = self.next()
        return None if candidate is None else (candidate.trial, candidate.config)

    def outcome(self, trial: str, outcome: Outcome) -> None:
        """What a trial has to say, with what naming it takes; its last word is told the search."""
        last = outcome.behind + 1 == self._proposed[trial].outcomes
        rows = dict(outcome.rows)
        if "ledger" in rows:
            rows["ledger"] = [replace(row, search_bits=self._bits) for row in rows["ledger"]]
        if last:
            rows["candidates"] = [self._rows[trial]]
        super().outcome(trial, outcome._replace(rows=rows))
        if last:
            self._hunt.ended(trial)

    def stopped(self, trial: str, reason: str) -> None:
        """A trial was ended for being worse than others: it has a row among the candidates."""
        reason = f"{reason} by {self.search.asha}"
        row = replace(self._rows[trial], stopped=reason)
        settings = self._proposed[trial].model_dump(mode="json")
        self._store.write_trial(trial, settings, files={}, candidates=[row])
        self.board.stopped(trial, reason)
        self._hunt.ended(trial)

    def failed(self, trial: str, reason: str) -> None:
        """A trial that ended without its rows."""
        super().failed(trial, reason)
        self._hunt.ended(trial)

    def _deciding(self, trial: str) -> dict[str, Any]:
        """Also whose weights it started from: another start gives other rows."""
        row = self._rows[trial]
        return super()._deciding(trial) | ({"start": row.parent} if row.inherited else {})
