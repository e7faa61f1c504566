"""Trials in a thread of their own, so that whoever waits for them can also look at them."""

import queue
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from capacity.config import Config

if TYPE_CHECKING:
    from capacity.subject import Progress
    from capacity.trial import Outcome


class Background:
    """`together.run` in a thread; `next` hands over what the trials have to say.

    Attributes:
      left: outcomes of the trials that have not said their last word: an outcome, or an error.
    """

    def __init__(self, trials: Mapping[str, Config], continuations: Mapping[str, bytes | None]):
        self.left = {name: config.outcomes for name, config in trials.items()}
        self._events: queue.Queue = queue.Queue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(trials, continuations), daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether every trial has said its last word."""
        return not self.left

    def next(self, seconds: float) -> "tuple[str, Progress | Outcome | Exception]":
        """What a trial says next, or where one is if there is nothing within `seconds`.

        Raises: what ended all of them.
        """
        latest = None
        deadline = time.monotonic() + seconds
        while True:
            # Without anything to show, wait on: there always is an event to come.
            wait = None if latest is None else max(0.0, deadline - time.monotonic())
            try:
                event = self._events.get(timeout=wait)
            except queue.Empty:
                assert latest is not None
                return latest
            if isinstance(event, BaseException):
                raise event
            name, said = event
            last = isinstance(said, Exception)
            if last or hasattr(said, "rows"):
                if last or said.behind + 1 == self.left[name]:
                    del self.left[name]
                return name, said
            latest = name, said

    def stop(self) -> None:
        """Ends the trials at their next evaluation and waits for that."""
        self._stop.set()
        self._thread.join()

    def _run(self, trials: Mapping[str, Config], continuations: Mapping[str, bytes | None]) -> None:
        # JAX starts here, after the process has its environment and its cores.
        from capacity import together  # noqa: PLC0415

        try:
            for said in together.run(trials, self._progress, continuations.get):
                self._events.put(said)
        except _Stopped:
            pass
        except BaseException as error:  # Whoever waits decides what to do about it.
            self._events.put(error)

    def _progress(self, name: str, now: "Progress") -> None:
        if self._stop.is_set():
            raise _Stopped
        self._events.put((name, now))


class _Stopped(BaseException):
    """Nobody waits any more; no error of a trial."""
