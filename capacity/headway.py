"""How far a sweep is: trials and rounds done, the best so far, the time that is left."""

import time
from collections.abc import Callable
from typing import NamedTuple

from capacity.rows import NetworkRow


class Best(NamedTuple):
    """A round of largest validation accuracy; means over the seeds that did not diverge."""

    accuracy: float
    size: float
    said: str


class Headway:
    """Of `trials`, of which `done` were on the disk before; the others have `rounds` in all."""

    def __init__(
        self, trials: int, done: int, rounds: int, clock: Callable[[], float] = time.monotonic
    ):
        self.best: Best | None = None
        self.failed = self.stopped = 0
        self._trials, self._before, self._rounds = trials, done, rounds
        self._ended = self._measured = 0
        self._shares: dict[str, float] = {}
        self._now, self._began = clock, clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the sweep began."""
        return self._now() - self._began

    @property
    def clock(self) -> str:
        """The same as hours, minutes and seconds."""
        return time.strftime("%H:%M:%S", time.gmtime(self.elapsed))

    @property
    def left(self) -> float | None:
        """Seconds until the end, if what is left takes as long as what is done; None at first."""
        todo = self._trials - self._before
        done = self._ended + sum(self._shares.values())
        return self.elapsed * (todo - done) / done if done > 0 else None

    def training(self, trial: str, share: float) -> None:
        """A trial has come so far."""
        self._shares[trial] = min(share, 1.0)

    def measured(self, networks: list[NetworkRow]) -> None:
        """A round, or with no networks a capacity, is measured."""
        self._measured += 1
        sound = [row for row in networks if not row.diverged]
        accuracies = [r.validation_accuracy for r in sound if r.validation_accuracy is not None]
        tests = [row.test_accuracy for row in sound if row.test_accuracy is not None]
        sizes = [row.coded_size for row in sound if row.coded_size is not None]
        if not (accuracies and tests and sizes):
            return
        accuracy, test, size = (sum(v) / len(v) for v in (accuracies, tests, sizes))
        if self.best is None or (accuracy, -size) > (self.best.accuracy, -self.best.size):
            first = sound[0]
            control = "" if first.control == "ticket" else f" {first.control}"
            said = (
                f"{first.trial} round {first.round}{control}: validation accuracy "
                f"{100 * accuracy:.2f} %, test {100 * test:.2f} %, file {size / 1000:.2f} kB"
            )
            self.best = Best(accuracy, size, said)

    def ended(self, trial: str, *, failed: bool = False, stopped: bool = False) -> None:
        """A trial is on the disk, `stopped` early or not, or will not be."""
        self._shares.pop(trial, None)
        self._ended += 1
        self.failed += failed
        self.stopped += stopped

    def __str__(self) -> str:
        ended = self._before + self._ended - self.failed
        parts = [f"{ended} of {self._trials} trials"]
        parts += [f"{self.stopped} of them stopped early"] if self.stopped else []
        parts += [f"{self.failed} failed"] if self.failed else []
        if self._rounds:
            parts.append(f"{self._measured} of {self._rounds} rounds")
        if self.left:
            parts.append(f"about {duration(self.left)} left")
        return ", ".join(parts) + (f"; best so far {self.best.said}" if self.best else "")


def duration(seconds: float) -> str:
    """In seconds, minutes or hours, as a person would say it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
