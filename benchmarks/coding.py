"""The smallest file a trained network fits in: sizes and speed beside peers and targets.

python -m benchmarks.coding --weights FOLDER [--mnist FOLDER] [--nncodec PYTHON]
"""

import argparse
import datetime
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import coding_speed
from benchmarks.coding_networks import Network, flax_score, mnist, published, score, trained
from benchmarks.coding_peers import WholeFile, literature_grid, whole_file_grid
from benchmarks.coding_sizes import (
    NNCODEC,
    Size,
    Sizes,
    ratio_grid,
    size_grid,
    sizes,
    target_grid,
)
from benchmarks.grid import Grid, markdown, show, write_csv
from capacity.coding import decode
from capacity.data import DataError


def main() -> None:
    arguments = _arguments()
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)  # a file or a pipe has no edge
    networks = published(arguments.weights)
    ours = trained(arguments.trained) if arguments.trained else []
    with _bar(console) as bar:
        found = _sized(bar, networks, arguments.nncodec)
        found_trained = _sized(bar, ours, arguments.nncodec)
        speeds = [] if arguments.no_speed else _timed(bar, arguments.weights)
    grids = {
        "sizes": size_grid("Bytes of the same integers", networks, Sizes(found)),
        "targets": target_grid(networks, Sizes(found)),
        "rounded": _rounded_grid(networks, arguments.mnist),
    }
    if ours:
        grids["trained"] = ratio_grid(ours, Sizes(found_trained))
    if speeds:
        grids["speed"] = coding_speed.speed_grid(speeds)
        grids["tree"] = coding_speed.tree_grid(speeds)
    files = _whole_files(arguments.files, arguments.mnist)
    grids["files"] = whole_file_grid(files)
    grids["literature"] = literature_grid(files)
    said = _said(bool(arguments.nncodec), bool(speeds))
    for name, words in said.items():
        console.print(f"{name}: {words}", highlight=False)
    for grid in grids.values():
        show(console, grid)
    _written(arguments.out, said, grids, [*found, *found_trained])
    console.print(f"Tables: {arguments.out}")


def _whole_files(folder: Path, images: Path | None) -> Mapping[str, WholeFile]:
    """Files of whole networks, NAME.cap by a name in coding_peers.WHOLE_FILES, decoded again."""
    found = {}
    for file in sorted(folder.glob("*.cap")):
        content = file.read_bytes()
        answered = flax_score(decode(content), mnist(images, "test"))
        found[file.stem] = WholeFile(len(content), answered.accuracy, answered.loss)
    return found


def _sized(bar: Progress, networks: Sequence[Network], nncodec: str | None) -> list[Size]:
    task = bar.add_task("", total=len(networks), visible=bool(networks))
    found = []
    for network in networks:
        for each in sizes(network, nncodec):
            found.append(each)
            bar.update(task, description=f"{network.title}: {each.coder}")
        bar.advance(task)
    bar.update(task, description="sizes")
    return found


def _timed(bar: Progress, weights: Path) -> list[coding_speed.Speed]:
    jobs = list(coding_speed.jobs(weights))
    task = bar.add_task("", total=len(jobs))
    found = []
    for job in jobs:
        bar.update(task, description=f"speed: {job['codec']}, {job['tensor']}")
        found.append(coding_speed.run(job))
        bar.advance(task)
    bar.update(task, description="speed")
    return found


def _rounded_grid(networks: Sequence[Network], folder: Path | None) -> Grid:
    """What the integers of the first table stand for is still the network."""
    try:
        test = mnist(folder, "test")
    except DataError as error:
        raise SystemExit(f"{error}; or name a folder of its four files by --mnist") from None
    rows = []
    for network in networks:
        exact, rounded = score(network.weights, test), score(network.rounded(), test)
        count = sum(symbols.size for symbols in network.symbols().values())
        (step,) = set(network.steps.values())
        rows.append(
            (
                network.title,
                f"{count:,}",
                f"{step:g}",
                f"{exact.accuracy:.2f}",
                f"{rounded.accuracy:.2f}",
                f"{exact.loss:.4f}",
                f"{rounded.loss:.4f}",
            )
        )
    header = (
        "network",
        "weights",
        "step",
        "accuracy, %",
        "rounded",
        "loss, bits",
        "rounded",
    )
    return Grid("What the integers stand for, on the test split", header, rows)


def _written(
    folder: Path, said: Mapping[str, str], grids: Mapping[str, Grid], found: Sequence[Size]
) -> None:
    """`coding.md` with all tables, one CSV for each, and every size and time in `coders.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["# The smallest file a trained network fits in", ""]
    lines += [f"- {name}: {words}" for name, words in said.items()] + [""]
    for grid in grids.values():
        lines += [f"## {grid.title}", "", *markdown(grid), ""]
    (folder / "coding.md").write_text("\n".join(lines).rstrip() + "\n")
    for name, grid in grids.items():
        write_csv(folder / f"{name}.csv", grid.header, grid.rows)
    write_csv(folder / "coders.csv", Size._fields, found)


def _said(peer: bool, timed: bool) -> dict[str, str]:
    names = ("numpy", "numba", "constriction", "zstandard", "brotli")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    load = ", ".join(f"{number:.1f}" for number in os.getloadavg())
    said = {
        "Command": "`python -m benchmarks.coding`",
        "Date": datetime.date.today().isoformat(),
        "Versions": f"Python {platform.python_version()}, {versions}",
        NNCODEC: "run beside ours, the shortest of its ten settings"
        if peer
        else "not at hand: its figures are quoted, measured on the same integers by its release",
        "Bytes": "of streams that were decoded and compared, except the entropy; of the weight "
        "matrices alone, without biases; whole files hold names, shapes, steps and checksums too, "
        "and NNCodec's its headers",
    }
    if timed:
        said["Speed"] = (
            f"{_processor()}; median of {coding_speed.REPEATS} turns, judged by the clock, which "
            "other processes on the cores slow down: the column per core-second does not count "
            f"them; load of the machine over 1, 5 and 15 minutes at the end: {load}"
        )
    return said


def _processor() -> str:
    name = platform.processor() or platform.machine()
    if (file := Path("/proc/cpuinfo")).exists():
        lines = file.read_text().splitlines()
        models = [line.partition(":")[2].strip() for line in lines if "model name" in line]
        name = next(iter(models), name)
    return f"{name}, {os.cpu_count()} cores"


def _bar(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description:<60}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coding", description=__doc__)
    parser.add_argument(
        "--weights", required=True, type=Path, help="folder of the published networks (.npz)"
    )
    parser.add_argument(
        "--mnist", type=Path, help="folder of MNIST's four files (by TFDS where it is not given)"
    )
    parser.add_argument("--nncodec", help="a Python interpreter that has NNCodec 2.1.3")
    parser.add_argument(
        "--trained", type=Path, help="results of `python -m capacity.sweep benchmarks/coding.yaml`"
    )
    parser.add_argument("--no-speed", action="store_true", help="only sizes")
    parser.add_argument(
        "--files",
        type=Path,
        default=Path("results/coding/files"),
        help="compressed files of whole networks, NAME.cap",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("results/coding"), help="folder of the tables"
    )
    arguments = parser.parse_args()
    if arguments.nncodec and not Path(arguments.nncodec).exists():
        parser.error(f"--nncodec {arguments.nncodec}: no such interpreter")
    return arguments


if __name__ == "__main__":
    main()
