"""The one actor beside the workers: it is looked at, and keeps from where trials go on."""

import asyncio
import sys
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

# Of tasks the page shows the newest, which are to be trials and rounds.
_unseen: Any = ray.method(enable_task_events=False)  # pyright: ignore[reportCallIssue]


def trials_actor() -> Any:
    """The actor `Trials`, on this process's own node.

    `Dashboard` asks it for tasks that can be seen, and `Shelf` for the rest: one process for both,
    as each takes two CPU seconds to start and a hundred megabytes to keep.
    """

    class Trials:
        # A local class travels by value, so that its process starts without importing the package.
        def __init__(self):
            self._ends: dict[str, asyncio.Future] = {}
            self._kept: dict[str, bytes] = {}
            self._over: set[str] = set()
            self._running: dict[str, list[str]] = {}
            self._struck: set[str] = set()
            self._suspects: set[str] = set()

        async def trial(self, name: str) -> None:
            try:
                await self._end(name)  # which may have come before this
            finally:
                self._ends.pop(name, None)

        async def round(self, said: str) -> None:
            print(said, file=sys.stderr, flush=True)  # the log that the page opens with

        @_unseen
        async def end(self, name: str, reason: str | None) -> None:
            end = self._end(name)
            if end.done():
                return
            if reason is None:
                end.set_result(None)
            else:
                print(f"{name} failed: {reason}", file=sys.stderr, flush=True)
                end.set_exception(RuntimeError(reason))

        def _end(self, name: str) -> asyncio.Future:
            return self._ends.setdefault(name, asyncio.get_running_loop().create_future())

        @_unseen
        async def put(self, trial: str, continuation: bytes | None) -> None:
            self._kept.pop(trial, None)
            if continuation is not None:
                self._kept[trial] = continuation

        @_unseen
        async def over(self, trial: str) -> None:
            self._kept.pop(trial, None)
            self._running.pop(trial, None)  # of a shift of its own
            self._over.add(trial)

        @_unseen
        async def runs(self, shift: str, trials: list[str]) -> None:
            self._running[shift] = trials

        @_unseen
        async def suspects(self, shift: str) -> list[str]:
            ran = self._running.pop(shift, [])
            found = [name for name in ran if name not in self._over]
            self._suspects.update(self._struck.intersection(found))
            self._struck.update(found)
            return found

        @_unseen
        async def take(self, trials: list[str]) -> tuple[dict[str, bytes | None], set[str]]:
            left = {name: self._kept.get(name) for name in trials if name not in self._over}
            return left, self._suspects & left.keys()

    Trials.__qualname__ = "Trials"
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0)(Trials).options(scheduling_strategy=here).remote()
