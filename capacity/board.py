"""What a sweep shows while it runs: a live table on a terminal, lines that stay in a log."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from capacity.headway import Headway
from capacity.rows import CapacityRow, NetworkRow

HEADWAY_SECONDS = 60.0  # between two lines of a log that say how far the sweep is


class Board:
    """A row for every trial that runs, below how far the sweep is and the best so far.

    `step` and `total` count optimiser steps of all rounds of a trial.
    """

    def __init__(self, trials: int, done: int, rounds: int = 0, console: Console | None = None):
        self.console = console or Console(stderr=True)
        self._headway = Headway(trials, done, rounds)
        self._bars = _Table(
            self._headway,
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
        self._trials: dict[str, TaskID] = {}
        self._said = 0.0  # seconds into the sweep

    def __enter__(self) -> "Board":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def training(
        self, trial: str, step: int, total: int, status: str, *, part: bool = False
    ) -> None:
        """A trial has done `step` of `total` steps, which are those of a `part` of it alone."""
        if not part:
            self._headway.training(trial, step / total)
        if trial not in self._trials:
            self._trials[trial] = self._bars.add_task(trial, total=total, status="")
        self._bars.update(self._trials[trial], completed=step, total=total, status=status)
        if self._headway.elapsed - self._said >= HEADWAY_SECONDS:
            self._stand()

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
        self._headway.measured(networks)

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
        self._headway.measured([])

    def finished(self, trial: str) -> None:
        """A trial is on the disk."""
        self._end(trial)

    def stopped(self, trial: str, reason: str) -> None:
        """A trial was ended early, by no fault of its own."""
        self.say(f"{trial} stopped early {reason}")
        self._end(trial, stopped=True)

    def failed(self, trial: str, reason: str) -> None:
        """A trial ended without rows."""
        self.say(f"{trial} failed: {reason}")
        self._end(trial, failed=True)

    def say(self, text: str) -> None:
        """A line that stays above the bars."""
        self.console.print(text, highlight=False, soft_wrap=True, markup=False)

    def _end(self, trial: str, *, failed: bool = False, stopped: bool = False) -> None:
        if trial in self._trials:
            self._bars.remove_task(self._trials.pop(trial))
        self._headway.ended(trial, failed=failed, stopped=stopped)
        self._stand()

    def _stand(self) -> None:
        """A line of a log; on a terminal the table has it."""
        self._said = self._headway.elapsed
        if not self.console.is_terminal:
            self.say(f"{self._headway.clock}  {self._headway}")

    def _stays(self, trial: str, parts: list[str]) -> None:
        self.say(f"{self._headway.clock}  {trial}  {', '.join(parts)}")


class _Table(Progress):
    """The rows of the trials under a line about the sweep."""

    def __init__(self, headway: Headway, *columns: ProgressColumn, **options: Any):
        self._headway = headway
        super().__init__(*columns, **options)

    def get_renderables(self) -> Iterable[RenderableType]:
        yield Text(f"{self._headway.clock}  {self._headway}", style="bold")
        yield self.make_tasks_table(self.tasks)
