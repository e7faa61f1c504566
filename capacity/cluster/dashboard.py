"""What Ray's dashboard, which has no tab for trials, shows of a sweep."""

import contextlib
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ray

from capacity.cluster.actor import trials_actor
from capacity.cluster.latest import Latest

MOST_OPEN, MOST_ENDED, MOST_NAMED = 500, 200, 1000
"""Trials with a task, ended trials in the table, and tasks by names of their own. An actor takes a
thousand calls at once, and the shelf's are among them."""


class Dashboard:
    """The actor `Trials`, on whose page of the dashboard at `url` one sweep can be followed.

    Its log has a line per finished round. Its tasks are the rounds, and the trials: one that runs
    until the trial ends, and that fails with the trial. Among the `logs` of the dashboard is a
    table that is written anew as trials come on, a line for each.

    Attributes:
      actor: that one; a `Shelf` is kept in it too.
    """

    def __init__(self, url: str, logs: Path):
        self._url = url
        self._table = _Table(logs / f"capacity-{ray.get_runtime_context().get_job_id()}.log")
        self.actor = trials_actor()
        self._open: set[str] = set()
        self._named = 0

    @property
    def directions(self) -> str:
        """Where to look, and how to get past the token prompt; empty without a dashboard."""
        if not self._url:
            return ""
        page = f"http://{self._url}/#/actors/{self.actor._actor_id.hex()}"
        if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":  # `ray.init` sets it
            return page
        # Whoever did not activate the environment has no `ray` on the path.
        command = "ray" if shutil.which("ray") else str(Path(sys.executable).with_name("ray"))
        return f"{page} (asks a browser once for the token that `{command} get-auth-token` prints)"

    @property
    def table(self) -> str:
        """The page of the live table; empty without a dashboard."""
        if not self._url:
            return ""
        node = ray.get_runtime_context().get_node_id()
        return f"http://{self._url}/#/logs/viewer?nodeId={node}&fileName={self._table.path.name}"

    def begin(self, trial: str) -> None:
        """A trial runs, for the first time or again."""
        if trial not in self._open and len(self._open) < MOST_OPEN:
            self._open.add(trial)
            self._task(self.actor.trial, trial)
        self._table.write(trial, "running", {})

    def progress(self, trial: str, control: str, scalars: Mapping[str, float]) -> None:
        """Where a trial is, between its rounds."""
        short = {key: value for key, value in scalars.items() if "/" not in key}  # no layers
        self._table.write(trial, f"running {control}", short)

    def round(self, trial: str, control: str, scalars: Mapping[str, float], *, last: bool) -> None:
        """A round, or its control, is measured; the last one ends its trial."""
        said = " ".join([trial, control, *_numbers(scalars)])
        self._table.write(trial, f"{'finished' if last else 'running'} {control}", scalars)
        self._task(self.actor.round, said)
        if last:
            self._end(trial)

    def stopped(self, trial: str, reason: str) -> None:
        """A trial was ended early, by no fault of its own."""
        self._table.write(trial, f"stopped early {reason}", {})
        self._end(trial)

    def failed(self, trial: str, reason: str) -> None:
        """A trial ended without all of its rounds."""
        self._table.write(trial, f"failed: {reason}", {})
        self._end(trial, reason)

    def _task(self, method: Any, name: str) -> None:
        """A task by that name; Ray keeps a metric of each name for ever, so they have an end."""
        self._named += 1
        (method.options(name=name) if self._named <= MOST_NAMED else method).remote(name)

    def _end(self, trial: str, reason: str | None = None) -> None:
        self._table.end(trial)
        if trial in self._open or reason is not None:
            self._open.discard(trial)
            self.actor.end.remote(trial, reason)


class _Table:
    """A file of a line per trial; the dashboard shows it without runs of blanks."""

    def __init__(self, path: Path):
        self.path = path
        self._lines: dict[str, str] = {}
        self._ended = Latest(MOST_ENDED)

    def end(self, trial: str) -> None:
        """A trial has ended: the line of one that did so long ago goes."""
        if (oldest := self._ended.add(trial)) is not None:
            self._lines.pop(oldest, None)

    def write(self, trial: str, state: str, scalars: Mapping[str, float]) -> None:
        self._lines[trial] = " ".join([trial, state, *_numbers(scalars)])
        with contextlib.suppress(OSError):  # A full disk is no reason to lose a sweep.
            self.path.write_text("\n".join(self._lines.values()) + "\n", encoding="utf-8")


def _numbers(scalars: Mapping[str, float]) -> list[str]:
    whole = {
        key: f"{value:.4g}" if isinstance(value, float) else value for key, value in scalars.items()
    }
    return [f"{key}={value}" for key, value in whole.items()]
