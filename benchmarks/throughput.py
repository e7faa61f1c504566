"""Training throughput on one core against PyTorch, and what masks, a second trial and chunks cost.

python -m benchmarks.throughput --torch PYTHON [--level] [--rounds 7] [--out FOLDER]
"""

import argparse
import datetime
import itertools
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.contender import Contender, Turn
from benchmarks.tables import printed, written
from benchmarks.verdicts import Record
from benchmarks.workloads import WORKLOADS, Workload, export
from capacity.device import environment

CHUNKS = (1, 2, 4, 8)
CHUNK_ROUNDS = 3
CHUNK_STEPS = {"digits": 4000, "lenet": 250}
PRODUCT = {"loop": "product", "side": 1024, "repeats": 12}
LEVEL = {"members": 1, "steps": 50_000, "evaluations": 500}


Jobs = dict[str, dict[str, Any]]


class Workers(NamedTuple):
    """Ours on either core, and the peer on the first."""

    left: Contender
    right: Contender
    peer: Contender

    def contenders(self) -> dict[str, tuple[Contender, dict[str, Any]]]:
        """Who takes turns on the first core, and what it changes of the job."""
        return {
            "ours": (self.left, {}),
            "ours, no mask": (self.left, {"mask": "none"}),
            "torch best": (self.peer, {"loop": "best"}),
            "torch usual": (self.peer, {"loop": "usual"}),
        }


def main() -> None:
    arguments = _arguments()
    console = Console()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        exported = {name: export(workload, folder) for name, workload in WORKLOADS.items()}
        jobs = {name: _job(WORKLOADS[name], file) for name, (file, _) in exported.items()}
        first, second = sorted(os.sched_getaffinity(0))[:2]
        ours = [sys.executable, "-m", "benchmarks.capacity_loops"]
        torch = [arguments.torch, "benchmarks/torch_loops.py"]
        one_thread = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        left = stack.enter_context(Contender(ours, first, environment(cpus=1)))
        right = stack.enter_context(Contender(ours, second, environment(cpus=1)))
        peer = stack.enter_context(Contender(torch, first, one_thread))

        peer.go({"loop": "versions"})
        versions = {"torch": peer.answer()["torch"], **_versions()}
        chunks = {name: _chunk(left, job) for name, job in jobs.items()}
        for name, job in jobs.items():
            job["chunk"] = chunks[name]
        records = []
        bar = stack.enter_context(_bar(console))
        total = _turn_count(arguments.rounds, arguments.level)
        task = bar.add_task("warming up", total=total)
        for record in _measured(
            Workers(left, right, peer), jobs, arguments.rounds, arguments.level
        ):
            records.append(record)
            bar.update(task, advance=1, description=f"{record.workload}: {record.contender}")
    said = {
        "Processor": _processor(),
        "Versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "Date": datetime.date.today().isoformat(),
        **{w.title: f"{w.meaning}; {exported[name][1]}" for name, w in WORKLOADS.items()},
        "Rounds": f"{arguments.rounds}, in which all contenders take turns on one core",
        "Rates": "network-steps per second of the core, so that other processes do not count",
    }
    printed(console, said, records, chunks)
    written(arguments.out, said, records, chunks)
    console.print(f"Tables: {arguments.out}")


def _measured(workers: Workers, jobs: Jobs, rounds: int, level: bool) -> Iterator[Record]:
    """Every turn in the order in which it is taken; the first ones, to compile, do not count."""
    for job in jobs.values():
        for worker, changes in workers.contenders().values():
            worker.turn({**job, **changes, "steps": 20})
        workers.right.turn({**job, "steps": 20})
    for i in range(rounds):
        yield from _round(i, workers, jobs)
    for job in jobs.values():
        for chunk in CHUNKS:
            workers.left.turn({**job, "members": 8, "chunk": chunk, "steps": 20})
    for i in range(CHUNK_ROUNDS):
        for (name, job), chunk in itertools.product(jobs.items(), CHUNKS):
            crowd = {**job, "members": 8, "chunk": chunk, "steps": CHUNK_STEPS[name]}
            yield Record(i, name, f"chunk {chunk}", workers.left.turn(crowd))
    if level:
        job = {**jobs["lenet"], **LEVEL, "chunk": 1}
        workers.left.turn({**job, "steps": 500})
        yield Record(0, "lenet", "one lottery level", workers.left.turn(job))


def _round(i: int, workers: Workers, jobs: Jobs) -> Iterator[Record]:
    """All contenders in turn on one core, then ours on each of two cores, alone and at once."""
    yield Record(i, "", "limit", workers.left.turn(PRODUCT))
    for name, job in jobs.items():
        turns = list(workers.contenders().items())
        for label, (worker, changes) in turns if i % 2 == 0 else reversed(turns):
            yield Record(i, name, label, worker.turn({**job, **changes}))
        cores = workers[:2]
        for core, worker in enumerate(cores):
            yield Record(i, name, f"core {core} alone", worker.turn(job))
        for worker in cores:
            worker.go(job)
        for core, worker in enumerate(cores):
            yield Record(i, name, f"core {core} with the other", Turn(**worker.answer()))


def _turn_count(rounds: int, level: bool) -> int:
    return rounds * (1 + 8 * len(WORKLOADS)) + CHUNK_ROUNDS * len(CHUNKS) * len(WORKLOADS) + level


def _job(workload: Workload, file: Path) -> dict[str, Any]:
    job = workload._asdict()
    return {**job, "loop": "train", "mask": "full", "sizes": workload.sizes, "file": str(file)}


def _chunk(contender: Contender, job: dict[str, Any]) -> int:
    contender.go({**job, "loop": "chunk"})
    return contender.answer()["chunk"]


def _processor() -> str:
    """Model, widest vectors, cores and cache; what the system does not tell is left out."""
    name = _cpu_fields().get("model name") or platform.processor() or platform.machine()
    wide = f", {vectors}" if (vectors := _vectors()) else ""
    cache = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")
    second = f", second-level cache {cache.read_text().strip()}" if cache.exists() else ""
    return f"{name}{wide}, {os.cpu_count()} cores{second}"


def _vectors() -> str:
    """The widest vectors of the processor, empty where the system does not tell."""
    flags = _cpu_fields().get("flags", "").split()
    known = {"avx512f": "AVX-512", "avx2": "AVX2"}
    return next((said for flag, said in known.items() if flag in flags), "")


def _cpu_fields() -> dict[str, str]:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _versions() -> dict[str, str]:
    names = ("jax", "jaxlib", "flax", "optax", "numpy")
    return {"Python": platform.python_version(), **{name: version(name) for name in names}}


def _bar(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description:<40}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.add_argument("--torch", required=True, help="a Python interpreter that has PyTorch 2.13")
    parser.add_argument("--rounds", type=int, default=7, help="rounds in which all take turns")
    parser.add_argument(
        "--level", action="store_true", help="also time a whole lottery level, about a minute"
    )
    # Tables of processors with other vectors stand side by side.
    folder = (_vectors() or platform.machine()).replace("-", "").lower()
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("results/throughput") / folder,
        help="folder of the tables [%(default)s]",
    )
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    if not Path(arguments.torch).exists():
        parser.error(f"--torch {arguments.torch}: no such interpreter")
    if len(os.sched_getaffinity(0)) < 2:
        parser.error("two cores are needed, to run two trials side by side")
    return arguments


if __name__ == "__main__":
    main()
