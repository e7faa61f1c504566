"""What a sweep shows while it runs: bars on a terminal, a line per finished round elsewhere."""

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from capacity.rows import CapacityRow, NetworkRow


class Board:
    """A bar for the sweep and one for every trial that runs.

    `step` and `total` count optimiser steps of all rounds of a trial.
    """

    def __init__(self, trials: int, done: int, console: Console | None = None):
        self.console = console or Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[status]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,
        )
        self._sweep = self._bars.add_task("[b]trials", total=trials, completed=done, status="")
        self._trials: dict[str, TaskID] = {}
        self._began = time.monotonic()

    def __enter__(self) -> "Board":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def training(self, trial: str, step: int, total: int, status: str) -> None:
        """A trial has done `step` of `total` steps."""
        if trial not in self._trials:
            self._trials[trial] = self._bars.add_task(trial, total=total, status="")
        self._bars.update(self._trials[trial], completed=step, total=total, status=status)

    def round(self, networks: list[NetworkRow]) -> None:
        """A round is measured: one line that stays."""
        first = networks[0]
        sound = [row for row in networks if not row.diverged]
        accuracy = [row.test_accuracy for row in sound if row.test_accuracy is not None]
        size = [row.coded_size for row in sound if row.coded_size is not None]
        control = "" if first.control == "ticket" else f" {first.control}"
        parts = [f"round {first.round}{control}", f"{100 * first.density:5.1f} % of weights"]
        if sound:
            parts.append(f"test accuracy {100 * sum(accuracy) / len(accuracy):.2f} %")
            parts.append(f"file {sum(size) / len(size) / 1000:.2f} kB")
        if len(sound) < len(networks):
            parts.append(f"{len(networks) - len(sound)} of {len(networks)} seeds diverged")
        self._stays(first.trial, parts)

    def capacity(self, row: CapacityRow) -> None:
        """An architecture's capacity is measured: one line that stays."""
        parts = ["capacity: every seed diverged"]
        if row.capacity is not None:
            parts = [f"holds {row.capacity:,.0f} bits of random labels"]
            parts += [f"{row.capacity / row.parameters:.2f} per weight"]
            if row.diverged:
                parts.append(f"{row.diverged} of {row.seeds} seeds diverged")
        if row.converged is False:
            parts.append("not converged: more steps change it by 2 % or more")
        if row.at_edge:
            parts.append("at the largest load: the knee may lie beyond")
        self._stays(row.trial, parts)

    def finished(self, trial: str) -> None:
        """A trial is on the disk."""
        if trial in self._trials:
            self._bars.remove_task(self._trials.pop(trial))
        self._bars.advance(self._sweep)

    def failed(self, trial: str, reason: str) -> None:
        """A trial ended without rows."""
        self.say(f"{trial} failed: {reason}")
        self.finished(trial)

    def say(self, text: str) -> None:
        """A line that stays above the bars."""
        self.console.print(text, highlight=False, soft_wrap=True, markup=False)

    def _stays(self, trial: str, parts: list[str]) -> None:
        clock = time.strftime("%H:%M:%S", time.gmtime(time.monotonic() - self._began))
        self.say(f"{clock}  {trial}  {', '.join(parts)}")
