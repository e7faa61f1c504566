"""What a newcomer waits for: `make sweep` from a fresh clone, and Ray's share of a sweep."""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent


class Row(NamedTuple):
    """One figure, and its target where there is one."""

    what: str
    measured: str
    target: str
    met: str


def main() -> None:
    """Measures and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/first-run"))
    parser.add_argument("--skip-install", action="store_true", help="only Ray against --local")
    parser.add_argument("--repeats", type=int, default=3, help="of Ray and of --local, in turns")
    options = parser.parse_args()
    rows = [] if options.skip_install else _fresh_clone()
    rows += _ray_share(options.repeats)
    options.out.mkdir(parents=True, exist_ok=True)
    lines = [
        "# What a newcomer waits for",
        "",
        f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
        "`python -m benchmarks.first_run`.",
        "",
        "| what | measured | target | met |",
        "| --- | ---: | ---: | --- |",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    text = "\n".join(lines) + "\n"
    (options.out / "first-run.md").write_text(text)
    print(text)


def _row(what: str, seconds: float, target: float | None = None) -> Row:
    if target is None:
        return Row(what, f"{seconds:.1f} s", "", "")
    return Row(what, f"{seconds:.1f} s", f"< {target:g} s", "yes" if seconds < target else "no")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _fresh_clone() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "capacity"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        environment = _environment(Path(folder) / "cache")
        whole = _seconds(["make", ".venv/.run"], clone, environment)
        sweep = _seconds(["make", "sweep"], clone, environment)
    return [
        _row("`make sweep` from a clone, installation included", whole + sweep, 300),
        _row("of which the sweep, nothing compiled before", sweep, 120),
    ]


def _ray_share(repeats: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(Path(folder) / "cache")
        times: dict[str, list[float]] = {"ray": [], "local": []}
        for repeat in range(repeats + 1):
            for kind, flags in (("ray", []), ("local", ["--local"])):
                command = [sys.executable, "-m", "capacity.sweep", "configs/digits.yaml", *flags]
                command += ["--results", f"{folder}/{kind}{repeat}"]
                seconds = _seconds(command, ROOT, environment)
                if repeat > 0:  # The first of each fills the compilation cache.
                    times[kind].append(seconds)
                print(f"{kind} {repeat}: {seconds:.1f} s", flush=True)
        same = _rows(folder, "ray1") == _rows(folder, "local1")
    ray, local = (statistics.median(times[kind]) for kind in ("ray", "local"))
    return [
        _row(f"digits sweep by Ray, compiled before, median of {repeats}", ray),
        _row(f"digits sweep with --local, compiled before, median of {repeats}", local),
        _row("Ray beyond --local", ray - local, 15),
        Row(
            "both give the same `networks.csv`",
            "yes" if same else "no",
            "yes",
            "yes" if same else "no",
        ),
    ]


def _rows(folder: str, run: str) -> bytes:
    return (Path(folder) / run / "digits/networks.csv").read_bytes()


def _environment(cache: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_", "XLA_", "RAY_"))}
    return {**kept, "CAPACITY_CACHE_DIR": str(cache)}


def _seconds(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    assert shutil.which(command[0]), command[0]
    began = time.monotonic()
    quiet = subprocess.DEVNULL
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=quiet, stderr=quiet)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
