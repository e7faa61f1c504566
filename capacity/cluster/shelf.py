"""From where trials go on, kept beside the driver for workers that take over."""

from collections.abc import Sequence
from typing import Any

import ray


class Shelf:
    """The latest continuation of each trial, in the actor `Trials` on the driver's own node.

    Only what the driver has the rows of is put there, so that none is lost or told twice.
    """

    def __init__(self, actor: Any):
        self._actor = actor

    def put(self, trial: str, continuation: bytes | None) -> None:
        """From where `trial` goes on; None where it begins anew.

        Returns once it is there: a warm worker may take up a trial at once.
        """
        ray.get(self._actor.put.remote(trial, continuation))

    def end(self, trial: str) -> None:
        """`trial` has said its last word: nobody need take it up again."""
        ray.get(self._actor.over.remote(trial))

    def runs(self, shift: str, trials: Sequence[str]) -> None:
        """These of a shift run now, and no others of it."""
        ray.get(self._actor.runs.remote(shift, list(trials)))

    def suspects(self, shift: str) -> list[str]:
        """The worker of a shift died on these; of what it died on twice, each is to run alone.

        Once may be the loss of a node.
        """
        return ray.get(self._actor.suspects.remote(shift))

    def take(self, trials: Sequence[str]) -> tuple[dict[str, bytes | None], set[str]]:
        """What was put last of each of `trials` that has not ended, and which are suspects."""
        return ray.get(self._actor.take.remote(list(trials)))
