"""From where trials go on, kept beside the driver for workers that take over."""

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
        """From where `trial` goes on; None where it is done, or begins anew.

        Returns once it is there: a warm worker may take up a trial at once.
        """
        ray.get(self._actor.put.remote(trial, continuation))

    def take(self, trial: str) -> bytes | None:
        """What was put last of `trial`."""
        return ray.get(self._actor.take.remote(trial))


def _actor() -> Any:
    """A local class travels by value, so that its process starts without importing the package."""

    class Continuations:
        def __init__(self):
            self._kept: dict[str, bytes] = {}

        def put(self, trial: str, continuation: bytes | None) -> None:
            self._kept.pop(trial, None)
            if continuation is not None:
                self._kept[trial] = continuation

        def take(self, trial: str) -> bytes | None:
            return self._kept.get(trial)

    Continuations.__qualname__ = "Continuations"
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0)(Continuations).options(scheduling_strategy=here).remote()
