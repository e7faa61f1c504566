"""python -m capacity.report RESULTS: an experiment's figures, LaTeX table and page, redrawn."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from capacity import store
from capacity.analysis import (
    accuracy_density,
    capacity_information,
    memorised,
    rate_distortion,
    size_accuracy,
    style,
    training_curves,
    weight_data,
)
from capacity.analysis.latex import latex
from capacity.analysis.page import page
from capacity.analysis.summary import LEGEND, summary, text
from capacity.store import Results, StoreError

FIGURES: dict[str, tuple[str, Callable[[Results], Any]]] = {
    "accuracy-density": (
        "Test accuracy against the share of weights that remain.",
        lambda r: accuracy_density.figure(r.networks, r.trials),
    ),
    "size-accuracy": (
        "Accuracy of the decoded network against the length of its compressed file.",
        lambda r: size_accuracy.figure(r.networks, r.trials),
    ),
    "rate-distortion": (
        "What each codec makes of the networks: bits per weight against accuracy lost.",
        lambda r: rate_distortion.figure(r.networks, r.codecs),
    ),
    "weight-data": (
        "Entropy of the weights against entropy of the labels.",
        lambda r: weight_data.figure(r.networks, r.trials),
    ),
    "capacity-information": (
        "Bits in the file and in the labels against memory-equivalent capacity.",
        lambda r: capacity_information.figure(r.networks, r.trials),
    ),
    "training-curves": (
        "Validation loss during training, dense and sparsest.",
        lambda r: training_curves.figure(r.networks, r.curves, r.trials),
    ),
}
CAPACITY_FIGURES: dict[str, tuple[str, Callable[[Results], Any]]] = {
    "memorised-bits": (
        "Bits of random labels that networks hold against those that they were given.",
        lambda r: memorised.figure(r.memorised, r.capacities, r.trials),
    ),
}
TABLES = ("networks.csv", "layers.csv", "codecs.csv", "curves.parquet", "trials.csv", "COLUMNS.md")
CAPACITY_TABLES = ("capacities.csv", "memorised.csv", "trials.csv", "COLUMNS.md")


def draw(
    folder: str | Path, out: str | Path | None = None, say: Callable[[str], object] = print
) -> list[Path]:
    """Redraw everything that follows from the tables of an experiment.

    Args:
      folder: results/<experiment>.
      out: where figures/, table.tex and report.html go; the experiment's folder unless given.
      say: told of each file as it is written, and the summary table at the end.

    Returns:
      The files that were written.

    Raises:
      StoreError: the tables cannot be read, hold no trial, or the files cannot be written.
    """
    folder = Path(folder)
    results = store.read(folder)
    capacity = not results.capacities.empty
    if capacity and not results.networks.empty:
        raise StoreError(
            f"{folder}: some trials memorise and some do not: an experiment is one or the other"
        )
    if results.networks.empty and not capacity:
        raise StoreError(f"{folder / 'networks.csv'} holds no network: no trial has finished yet")
    out = Path(out) if out is not None else folder
    written: list[Path] = []

    def keep(name: str, data: bytes | str) -> None:
        store.write(out / name, data)
        written.append(out / name)
        say(f"wrote {out / name}")

    pictures = {}
    for name, (caption, figure_of) in (CAPACITY_FIGURES if capacity else FIGURES).items():
        with style.page():
            drawn = figure_of(results)
            pictures[name] = (caption, style.saved(drawn, "png"))
            keep(f"figures/{name}.pdf", style.saved(drawn, "pdf"))
        keep(f"figures/{name}.png", pictures[name][1])
    beside = out.resolve() == folder.resolve()
    if capacity:
        told, legend = memorised.text(results.capacities), memorised.LEGEND
        links = [*(CAPACITY_TABLES if beside else [])]
    else:
        table = summary(results.networks)
        keep("table.tex", latex(table))
        told, legend = text(table), LEGEND
        links = ["table.tex", *(TABLES if beside else [])]
    title = folder.resolve().name
    keep("report.html", page(title, told, legend, pictures, results.provenance, links))
    say(f"\n{told}")
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; exit code 2, and one sentence on stderr, if the user must change something."""
    parser = _Parser(prog="python -m capacity.report", description=__doc__)
    parser.add_argument("folder", metavar="RESULTS", help="the folder results/<experiment>")
    parser.add_argument("--out", metavar="DIR", help="write there instead of into RESULTS")
    chosen = parser.parse_args(arguments)
    try:
        draw(chosen.folder, chosen.out)
    except StoreError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}: see {self.prog} --help\n")


if __name__ == "__main__":
    sys.exit(main())
