"""Trials side by side: whenever all of them want a population trained, it is one population.

A trial asks for one training after the other and measures in between. Here each is a thread that
stops where it asks; one of them runs at a time, so nothing depends on chance. What they ask for is
trained together where it is the same program: compiled once, and with as many networks side by side
as the device takes. No row depends on that: a member is the network that it is alone.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from capacity import device, trial
from capacity.config import Config
from capacity.subject import Progress
from capacity.training import Request, Snapshot, groups, train_together
from capacity.trial import Outcome

MOST = 256
"""Trials side by side: each is a thread."""
COPIES = 12
"""Of its weights that a trial holds, at most, while others train: what it restarts from, what it
was drawn as, its moments, its best."""
END_SECONDS = 10.0


def run(
    trials: Mapping[str, Config],
    progress: Callable[[str, Progress], None],
    continuation: Callable[[str], bytes | None],
    start: Mapping[str, Any] | None = None,
) -> Iterator[tuple[str, Outcome | Exception]]:
    """What `trial.run` yields of each, by its name, or the error that ended it; others go on.

    Args:
      progress: (trial, where it is).
      continuation: of a trial, behind which it goes on.
      start: weights from which all of them start.
    """
    threads = {
        name: _Thread(
            partial(_run, name, config, partial(progress, name), continuation(name), start)
        )
        for name, config in trials.items()
    }
    waiting = list(threads)
    try:
        while waiting:
            yield from _wave(threads, waiting)
    finally:
        for thread in threads.values():
            thread.end()


def _wave(
    threads: Mapping[str, "_Thread"], waiting: list[str]
) -> Iterator[tuple[str, Outcome | Exception]]:
    """Runs the first of those that wait, and as many more as there is memory for; takes them out.

    What the first asks for says how large its networks are.
    """
    device.make_room()
    turns: deque[tuple[str, Any]] = deque([(waiting.pop(0), None)])
    room = None
    while turns:
        wanted: dict[str, Request] = {}
        while turns:
            name, answer = turns.popleft()
            said = threads[name].turn(answer)
            answer = None  # It may be large, and is the trial's now.
            while isinstance(said, Outcome):
                yield name, said
                said = threads[name].turn(None)
            if isinstance(said, Request):
                wanted[name] = said
                if room is None:
                    room = _room(said)
                    turns.extend((other, None) for other in waiting[: room - 1])
                    del waiting[: room - 1]
            elif isinstance(said.error, Exception):
                yield name, said.error
            elif said.error is not None:
                raise said.error
        turns.extend(_trained(wanted))


def _room(request: Request) -> int:
    """How many trials like the one that asks there is memory and patience for."""
    memory, own = device.memory(), sum(leaf.nbytes for leaf in request.params.values())
    return MOST if memory is None else max(1, min(MOST, memory // (COPIES * own)))


def _run(
    name: str,
    config: Config,
    progress: Callable[[Progress], None],
    continuation: bytes | None,
    start: Mapping[str, Any] | None,
    say: Callable[[Outcome | Request], Any],
) -> None:
    """A trial, as a thread runs it."""

    def train(request: Request) -> Snapshot:
        answer = say(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    for outcome in trial.run(config, name, progress, continuation, start, train):
        say(outcome)


def _trained(wanted: Mapping[str, Request]) -> Iterator[tuple[str, Snapshot | Exception]]:
    """What was asked for, or the error that each who asked is to raise."""
    device.make_room()
    names, requests = list(wanted), list(wanted.values())
    try:
        found = groups(requests)
    except Exception as error:
        yield from ((name, error) for name in names)
        return
    for positions in found:
        own = [requests[position] for position in positions]
        try:
            answers = train_together(own, device.memory)
        except Exception as error:  # Theirs alone: whoever else waits goes on.
            answers = [error] * len(own)
        yield from zip([names[position] for position in positions], answers, strict=True)


class _Over(NamedTuple):
    """The last word of a thread."""

    error: BaseException | None


class _Abandoned(BaseException):
    """Nobody waits for the rest."""


class _Thread:
    """Work that runs only in its turns, each until it says something."""

    def __init__(self, work: Callable[[Callable[[Any], Any]], None]):
        self._told: queue.SimpleQueue = queue.SimpleQueue()
        self._said: queue.SimpleQueue = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._running = self._over = False

    def turn(self, answer: Any) -> Any:
        """Answers what was said last, and waits for what is said next; `_Over` is the last."""
        self._running = True
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._told.put(answer)
        said = self._said.get()
        self._running, self._over = False, isinstance(said, _Over)
        return said

    def end(self) -> None:
        """Ends the work where it waits; what an interruption left running, at its next word."""
        if self._over or self._thread.ident is None:
            return
        self._told.put(_Abandoned())
        self._thread.join(END_SECONDS if self._running else None)

    def _run(self, work: Callable[[Callable[[Any], Any]], None]) -> None:
        error = None
        try:
            work(self._say)
        except BaseException as reason:
            error = reason
        self._said.put(_Over(error))

    def _say(self, said: Any) -> Any:
        self._said.put(said)
        answer = self._told.get()
        if isinstance(answer, _Abandoned):
            raise answer
        return answer
