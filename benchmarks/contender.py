"""A long-lived process, pinned to one core, that does a turn of work whenever it is told to."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

ROOT = Path(__file__).parent.parent


class Turn(NamedTuple):
    """What one turn took: of the clock, and of the processor by all threads of the process."""

    work: float  # network-steps, or floating-point operations
    seconds: float
    core_seconds: float
    loss: float  # bits on training examples, after the turn; NaN where nothing is trained


class Contender:
    """A worker that answers one line of JSON with another; turns are awaited one by one."""

    def __init__(self, command: Sequence[str], core: int, environment: Mapping[str, str]):
        self.process = subprocess.Popen(
            [*command, str(core)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.command = command

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()

    def go(self, job: Mapping[str, Any]) -> None:
        """Start a turn."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Wait for the turn that was started."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(
                f"{self.command[0]} stopped in the middle of a turn; see its error above"
            )
        return json.loads(line)

    def turn(self, job: Mapping[str, Any]) -> Turn:
        """Start a turn and wait for it."""
        self.go(job)
        return Turn(**self.answer())
