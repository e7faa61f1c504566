"""Trials that are proposed while a sweep runs: Tune asks, and may stop the worse ones early."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ray.tune.schedulers import ASHAScheduler
from ray.tune.search import ConcurrencyLimiter, Searcher

from capacity.config import Config, Search

MOST = 2**31 - 1  # steps of a training: no trial reaches them, so that none is stopped at its end


class Asked(Protocol):
    """Who proposes the trials of a search, and is told of those that are stopped early."""

    search: Search

    @property
    def left(self) -> int:
        """How many trials may still be proposed."""
        ...

    def propose(self) -> tuple[str, Config] | None:
        """The trial to run now; None if there are no more."""
        ...

    def stopped(self, trial: str, reason: str) -> None:
        """A trial was ended for being worse than others."""
        ...


def search_of(
    asked: Asked, room: int, proposed: Callable[[str, Config], None]
) -> ConcurrencyLimiter:
    """What Tune calls a search algorithm.

    Args:
      room: how many trials run at once, unless the search says so.
      proposed: told of a trial before it starts.
    """
    at_once = asked.search.at_once or room
    return ConcurrencyLimiter(_Asking(asked, proposed), max_concurrent=at_once)


def asha(search: Search) -> ASHAScheduler | None:
    """Asynchronous successive halving (Li et al., 2020) by a scalar that workers report, if wanted.

    A trial that reaches a rung goes on if it is among the best 1 / factor of those that came there
    before it. A report that has no such scalar decides nothing.
    """
    if search.asha is None:
        return None
    # Rounds and progress report different scalars.
    os.environ.setdefault("TUNE_DISABLE_STRICT_METRIC_CHECKING", "1")
    return ASHAScheduler(
        time_attr="training_step",
        metric=search.asha,
        mode="max" if search.asha_best == "highest" else "min",
        grace_period=search.asha_steps,
        reduction_factor=search.asha_factor,
        max_t=MOST,
    )


class _Asking(Searcher):
    def __init__(self, asked: Asked, proposed: Callable[[str, Config], None]):
        super().__init__()
        self._asked, self._proposed = asked, proposed

    def suggest(self, trial_id: str) -> Any:
        found = self._asked.propose()
        if found is None:
            return Searcher.FINISHED
        trial, config = found
        self._proposed(trial, config)
        return {"trial": trial, "settings": config.model_dump_json()}

    def on_trial_complete(
        self, trial_id: str, result: dict | None = None, error: bool = False
    ) -> None:
        """Nothing: the sweep tells when the rows are on the disk."""

    def set_search_properties(
        self, metric: str | None, mode: str | None, config: dict, **spec: Any
    ) -> bool:
        return True

    # Tune keeps searches for a restore that we do not use: ours goes on by the rows on the disk.
    def save(self, checkpoint_path: str) -> None:
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""

    def __deepcopy__(self, memo: dict) -> "_Asking":
        return self

    def __getstate__(self) -> dict:
        return {}
