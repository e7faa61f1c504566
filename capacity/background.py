"""A trial that runs in a thread of its own, so that whoever waits for it can also look at it."""

import queue
import threading
import time
from typing import TYPE_CHECKING, cast

from capacity.config import Config

if TYPE_CHECKING:
    from capacity.subject import Progress
    from capacity.trial import Outcome


class Background:
    """`trial.run` in a thread; `next` hands over what it has to say."""

    def __init__(self, config: Config, trial: str, continuation: bytes | None = None):
        self.done = False
        self._outcomes = config.outcomes
        self._events: queue.Queue[Progress | Outcome | Exception] = queue.Queue()
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(config, trial, continuation), daemon=True
        )
        self._thread.start()

    def next(self, seconds: float) -> "Progress | Outcome":
        """The next outcome, or where the trial is if there is none within `seconds`.

        Raises: what the trial raised.
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
            if isinstance(event, Exception):
                raise event
            if hasattr(event, "rows"):
                outcome = cast("Outcome", event)
                self.done = outcome.behind + 1 == self._outcomes
                return outcome
            latest = event

    def stop(self) -> None:
        """Ends the trial at its next evaluation and waits for that."""
        self._stop.set()
        self._thread.join()

    def _run(self, config: Config, name: str, continuation: bytes | None) -> None:
        # JAX starts here, after the process has its environment and its cores.
        from capacity import trial  # noqa: PLC0415

        try:
            for outcome in trial.run(config, name, self._progress, continuation):
                self._events.put(outcome)
        except _Stopped:
            pass
        except Exception as error:  # Whoever waits decides what to do about it.
            self._events.put(error)

    def _progress(self, now: "Progress") -> None:
        if self._stop.is_set():
            raise _Stopped
        self._events.put(now)


class _Stopped(Exception):  # noqa: N818
    pass
