"""What a sweep on Ray costs beyond its training: CPU seconds of all processes of a whole run.

python -m benchmarks.overhead [--repeats 3] [--out results/overhead]

The same 32 trials in turns: in one process, on Ray as `capacity.sweep` runs them, and as Tune runs
them by default, a new process for each; and what it takes to start Ray and stop it again.
"""

import argparse
import contextlib
import ctypes
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from benchmarks.grid import Grid, report, show, verdict, write_csv

CONFIG = "benchmarks/overhead.yaml"
BEYOND, LESS = 1.3, 4.0
_SUBREAPER = 36  # of prctl(2)
_PERIOD = 0.1

START = """
import os
from capacity import device
variables = device.environment(1, 0)
os.environ.update(variables)
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
from capacity import cluster
from capacity.config import Resources
with cluster.connected(None, Resources(), variables):
    pass
"""

DEFAULT = """
import os, sys
from capacity import device
os.environ.update(device.environment(1, 0))
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
import logging, ray
from ray import tune
from capacity.experiment import load
trials = load(sys.argv[1]).trials
def train(point):
    settings = point["own"]
    from capacity import trial
    from capacity.config import Config
    config = Config.model_validate_json(settings["config"])
    for outcome in trial.run(config, settings["trial"]):
        rows = outcome.rows["networks"]
        tune.report({"accuracy": sum(row.validation_accuracy for row in rows) / len(rows)})
ray.init("local", logging_level=logging.ERROR, log_to_driver=False, dashboard_host="127.0.0.1")
space = [{"trial": name, "config": own.model_dump_json()} for name, own in trials.items()]
results = tune.Tuner(
    tune.with_resources(train, {"cpu": 1}),
    param_space={"own": tune.grid_search(space)},
    run_config=tune.RunConfig(storage_path=sys.argv[2], verbose=0),
).fit()
assert not results.errors and len(results) == len(trials), results.errors
ray.shutdown()
"""


class Turn(NamedTuple):
    """A whole run."""

    contender: str
    repeat: int
    cpu_seconds: float
    seconds: float


def main() -> None:
    """Measures in turns and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/overhead"))
    options = parser.parse_args()
    # Daemons that outlive their parents become our children, so that their time is counted.
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    turns = list(measured(options.repeats))
    grid = judged(turns)
    show(Console(width=120), grid)
    title = "What a sweep costs beyond its training"
    facts = [
        f"Trials: the 32 of `{CONFIG}`, compiled before; medians of {options.repeats} turns",
        f"{os.cpu_count()} cores; CPU seconds of all processes of a run, Ray's daemons among them",
    ]
    report(options.out / "overhead.md", title, "overhead", facts, grid)
    write_csv(options.out / "turns.csv", Turn._fields, turns)


def measured(repeats: int):
    """Turns of all contenders; the first of each fills the compilation cache and is not kept."""
    with tempfile.TemporaryDirectory() as folder:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_", "XLA_", "RAY_"))}
        environment = {**kept, "CAPACITY_CACHE_DIR": f"{folder}/cache", "PYTHONPATH": os.getcwd()}
        for repeat in range(repeats + 1):
            results = f"{folder}/{repeat}"
            # Tune's default draws nothing either.
            sweep = [sys.executable, "-m", "capacity.sweep", CONFIG, "--no-report"]
            contenders = {
                "one process": [*sweep, "--local", "--results", f"{results}/local"],
                "on Ray": [*sweep, "--results", f"{results}/ray"],
                "Tune's default": [sys.executable, "-c", DEFAULT, CONFIG, f"{results}/tune"],
                "Ray alone": [sys.executable, "-c", START],
            }
            for contender, command in contenders.items():
                turn = Turn(contender, repeat, *_run(command, environment))
                print(*turn, flush=True)
                if repeat > 0:
                    yield turn


def _run(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """CPU seconds of a command and of all its descendants, and seconds by the clock.

    Ray's daemons let the kernel bury their children, whose time then counts for nobody: it is read
    while they live, and the last tenth of a second of each may be missing.
    """
    began, quiet = time.monotonic(), subprocess.DEVNULL
    ticks: dict[tuple[int, int], int] = {}
    before = _ticks()
    process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)
    while process.poll() is None:
        ticks |= _ticks()
        time.sleep(_PERIOD)
    seconds = time.monotonic() - began
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    deadline = time.monotonic() + 30
    while (left := _ticks()) and time.monotonic() < deadline:
        ticks |= left
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(_PERIOD)
    spent = sum(now - before.get(process, 0) for process, now in ticks.items())
    return spent / os.sysconf("SC_CLK_TCK"), seconds


def _ticks() -> dict[tuple[int, int], int]:
    """CPU time so far of every descendant, by its number and the time that it began."""
    parents, found = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # Behind the name, which may hold anything: state, parent, ...
            fields = path.read_text().rpartition(")")[2].split()
            pid = int(path.parent.name)
            parents[pid] = int(fields[1])
            found[pid] = (int(fields[19]), int(fields[11]) + int(fields[12]))
    ours, before = {os.getpid()}, 0
    while len(ours) > before:
        before = len(ours)
        ours |= {pid for pid, parent in parents.items() if parent in ours}
    return {(p, found[p][0]): found[p][1] for p in ours - {os.getpid()}}


def judged(turns: list[Turn]) -> Grid:
    """Medians, and the two bars."""
    names = dict.fromkeys(turn.contender for turn in turns)
    cpu = {n: statistics.median(t.cpu_seconds for t in turns if t.contender == n) for n in names}
    clock = {n: statistics.median(t.seconds for t in turns if t.contender == n) for n in names}
    beyond = (cpu["on Ray"] - cpu["Ray alone"]) / cpu["one process"]
    less = cpu["Tune's default"] / cpu["on Ray"]
    rows = [(name, f"{cpu[name]:.1f}", f"{clock[name]:.1f}", "", "") for name in names]
    rows += [
        (
            "on Ray without Ray's start, over one process",
            f"{beyond:.2f}",
            "",
            f"at most {BEYOND}",
            verdict(beyond <= BEYOND),
        ),
        (
            "Tune's default over on Ray",
            f"{less:.2f}",
            "",
            f"at least {LESS}",
            verdict(less >= LESS),
        ),
    ]
    return Grid("32 trials of 4 networks", ("", "CPU s", "clock s", "bar", "met"), rows)


if __name__ == "__main__":
    main()
