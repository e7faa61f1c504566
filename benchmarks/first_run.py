"""What a newcomer waits for: `make sweep` from a fresh clone, and Ray's share of a sweep."""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.tables import Row, machine, written

ROOT = Path(__file__).parent.parent
REPEATS = 3


def main() -> None:
    """Measures and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/first-run"))
    parser.add_argument("--skip-install", action="store_true", help="only Ray against --local")
    options = parser.parse_args()
    rows = [] if options.skip_install else _fresh_clone()
    rows += _ray_share()
    written(options.out, "First run", machine(), rows)


def _fresh_clone() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "capacity"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        environment = _environment(Path(folder) / "cache")
        whole = _seconds(["make", ".venv/.run"], clone, environment)
        sweep = _seconds(["make", "sweep"], clone, environment)
    return [
        Row("make sweep, installation included", "s", 300, whole + sweep, whole + sweep < 300),
        Row("of which the sweep, nothing compiled before", "s", 120, sweep, sweep < 120),
    ]


def _ray_share() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(Path(folder) / "cache")
        times: dict[str, list[float]] = {"ray": [], "local": []}
        for repeat in range(REPEATS + 1):
            for kind, flags in (("ray", []), ("local", ["--local"])):
                command = [sys.executable, "-m", "capacity.sweep", "configs/digits.yaml", *flags]
                command += ["--results", f"{folder}/{kind}{repeat}"]
                seconds = _seconds(command, ROOT, environment)
                if repeat > 0:  # The first of each fills the compilation cache.
                    times[kind].append(seconds)
                print(f"{kind} {repeat}: {seconds:.1f} s", flush=True)
        same = _rows(folder, "ray1") == _rows(folder, "local1")
    ray, local = (statistics.median(times[kind]) for kind in ("ray", "local"))
    overhead = ray - local
    return [
        Row("digits sweep by Ray, programs cached, median of 3", "s", None, ray, None),
        Row("digits sweep --local, programs cached, median of 3", "s", None, local, None),
        Row("Ray's overhead over --local", "s", 15, overhead, overhead < 15),
        Row("both give byte-identical networks.csv", "", 1, float(same), same),
    ]


def _rows(folder: str, run: str) -> bytes:
    return (Path(folder) / run / "digits/networks.csv").read_bytes()


def _environment(cache: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_", "XLA_", "RAY_"))}
    return {**kept, "CAPACITY_CACHE_DIR": str(cache)}


def _seconds(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    assert shutil.which(command[0]), command[0]
    began = time.monotonic()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
