"""From where trials go on, kept beside the driver for workers that take over."""

from collections.abc import Sequence
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


class Shelf:
    """The latest continuation of each trial, in an actor on the driver's own node.

    Only what the driver has the rows of is put there, so that none is lost or told twice.
    """

    def __init__(self):
        self._actor = _actor()

    def put(self, trial: str, continuation: bytes | None) -> None:
        """From where `trial` goes on; None where it begins anew.

        Returns once it is there: a warm worker may take up a trial at once.
        """
        ray.get(self._actor.put.remote(trial, continuation))

    def end(self, trial: str) -> None:
        """`trial` has said its last word: nobody need take it up again."""
        ray.get(self._actor.end.remote(trial))

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


def _actor() -> Any:
    """A local class travels by value, so that its process starts without importing the package."""

    class Continuations:
        def __init__(self):
            self._kept: dict[str, bytes] = {}
            self._ended: set[str] = set()
            self._running: dict[str, list[str]] = {}
            self._struck: set[str] = set()
            self._suspects: set[str] = set()

        def put(self, trial: str, continuation: bytes | None) -> None:
            self._kept.pop(trial, None)
            if continuation is not None:
                self._kept[trial] = continuation

        def end(self, trial: str) -> None:
            self._kept.pop(trial, None)
            self._running.pop(trial, None)  # of a shift of its own
            self._ended.add(trial)

        def runs(self, shift: str, trials: list[str]) -> None:
            self._running[shift] = trials

        def suspects(self, shift: str) -> list[str]:
            ran = self._running.pop(shift, [])
            found = [name for name in ran if name not in self._ended]
            self._suspects.update(self._struck.intersection(found))
            self._struck.update(found)
            return found

        def take(self, trials: list[str]) -> tuple[dict[str, bytes | None], set[str]]:
            left = {name: self._kept.get(name) for name in trials if name not in self._ended}
            return left, self._suspects & left.keys()

    Continuations.__qualname__ = "Continuations"
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0)(Continuations).options(scheduling_strategy=here).remote()
