"""python -m capacity.report RESULTS: an experiment's figures, LaTeX tables and page, redrawn."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pandas as pd

from capacity import store
from capacity.analysis import (
    accounts,
    accuracy_density,
    accuracy_weights,
    capacity_information,
    critical,
    idle_capacity,
    ledger,
    memorised,
    rate_distortion,
    saturation,
    search_progress,
    searched,
    size_accuracy,
    style,
    training_curves,
    weight_data,
)
from capacity.analysis.latex import latex
from capacity.analysis.page import Told, page
from capacity.analysis.summary import LEGEND, summary, text
from capacity.store import Results, StoreError


class Picture(NamedTuple):
    """A figure, drawn where a column of a table has a value and `enough` says so."""

    table: str
    column: str
    caption: str
    draw: Callable[[Results], Any]
    enough: Callable[[Results], bool] = lambda results: True


FIGURES: dict[str, Picture] = {
    "accuracy-density": Picture(
        "networks",
        "trial",
        "Test accuracy against the share of weights that remain.",
        lambda r: accuracy_density.figure(r.networks, r.trials),
    ),
    "accuracy-weights": Picture(
        "networks",
        "trial",
        "Test accuracy against the number of weights that remain.",
        lambda r: accuracy_weights.figure(r.networks, r.trials),
    ),
    "size-accuracy": Picture(
        "networks",
        "trial",
        "Accuracy of the decoded network against the length of its compressed file.",
        lambda r: size_accuracy.figure(r.networks, r.trials),
    ),
    "ledger": Picture(
        "ledger",
        "prequential_bits",
        "Where the bits of the labels went, and what the networks hold, store and could hold.",
        lambda r: ledger.figure(r.ledger, r.networks, r.trials),
    ),
    "rate-distortion": Picture(
        "networks",
        "trial",
        "What each codec makes of the networks: bits per weight against accuracy lost.",
        lambda r: rate_distortion.figure(r.networks, r.codecs),
    ),
    "weight-data": Picture(
        "networks",
        "trial",
        "Entropy of the weights against entropy of the labels.",
        lambda r: weight_data.figure(r.networks, r.trials),
    ),
    "capacity-information": Picture(
        "networks",
        "trial",
        "Bits in the file and in the labels against memory-equivalent capacity.",
        lambda r: capacity_information.figure(r.networks, r.trials),
    ),
    "training-curves": Picture(
        "networks",
        "trial",
        "Validation loss during training, dense and sparsest.",
        lambda r: training_curves.figure(r.networks, r.curves, r.trials),
    ),
    "saturation": Picture(
        "saturation",
        "saturation",
        "Saturation of every layer while networks trained.",
        lambda r: saturation.figure(r.saturation, r.networks, r.trials),
    ),
    "idle-capacity": Picture(
        "layers",
        "saturation",
        "Critical sparsity against the saturation of dense networks.",
        lambda r: idle_capacity.figure(r.layers, r.networks, r.trials),
        lambda r: len(idle_capacity.points(r.layers, r.networks)) >= idle_capacity.LEAST,
    ),
    "search": Picture(
        "candidates",
        "trial",
        "How the search went on.",
        lambda r: search_progress.figure(r.candidates, r.networks, _objectives(r)),
        lambda r: _chosen(r) is not None,
    ),
    "memorised-bits": Picture(
        "capacities",
        "trial",
        "Bits of random labels that networks hold against those that they were given.",
        lambda r: memorised.figure(r.memorised, r.capacities, r.trials),
    ),
}


def draw(
    folder: str | Path, out: str | Path | None = None, say: Callable[[str], object] = print
) -> list[Path]:
    """Redraw everything that follows from the tables of an experiment.

    Args:
      folder: results/<experiment>.
      out: where figures/, table.tex and report.html go; the experiment's folder unless given.
      say: told of each file as it is written, and the tables at the end.

    Returns:
      The files that were written.

    Raises:
      StoreError: the tables cannot be read, hold no trial, or the files cannot be written.
    """
    folder = Path(folder)
    results = store.read(folder)
    if results.trials.empty:
        raise StoreError(f"{folder / 'trials.csv'} holds no trial: none has finished yet")
    out = Path(out) if out is not None else folder
    written: list[Path] = []

    def keep(name: str, data: bytes | str) -> None:
        store.write(out / name, data)
        written.append(out / name)
        say(f"wrote {out / name}")

    pictures = {}
    for name, (caption, figure_of) in _figures(results).items():
        with style.page():
            drawn = figure_of(results)
            pictures[name] = (caption, style.saved(drawn, "png"))
            keep(f"figures/{name}.pdf", style.saved(drawn, "pdf"))
        keep(f"figures/{name}.png", pictures[name][1])
    told = _tables(results, keep)
    links = [path.name for path in written if path.suffix == ".tex"]
    if out.resolve() == folder.resolve():
        links += store.tables(results)
    title = folder.resolve().name
    keep("report.html", page(title, told, pictures, results.provenance, links))
    for _, lines, _ in told:
        say(f"\n{lines}")
    return written


def _figures(results: Results) -> dict[str, tuple[str, Callable[[Results], Any]]]:
    """Captions and functions of the figures for which there is something to draw."""
    found = results._asdict()
    return {
        name: (each.caption, each.draw)
        for name, each in FIGURES.items()
        if found[each.table][each.column].notna().any() and each.enough(results)
    }


def _tables(results: Results, keep: Callable[[str, str], None]) -> list[Told]:
    """Heading, lines and legend of each table; LaTeX of them is kept."""
    told: list[Told] = []
    if not results.networks.empty:
        table = summary(results.networks)
        keep("table.tex", latex(table))
        told.append(("Trials", text(table), LEGEND))
    chosen = _chosen(results)
    if not results.ledger.empty:
        entries = results.ledger
        if chosen is not None:
            entries = entries[entries["trial"].isin(chosen.loc[chosen["front"], "trial"])]
        found = accounts.accounts(entries)
        keep("ledger.tex", accounts.latex(found))
        told.append(("Ledger", accounts.text(found), accounts.LEGEND))
    if not (found := critical.critical(results.networks)).empty:
        told.append(("Critical sparsity", critical.text(found), critical.LEGEND))
    if not results.capacities.empty:
        told.append(("Capacity", memorised.text(results.capacities), memorised.LEGEND))
    if chosen is not None:
        trials = int(results.provenance["config"]["search"]["trials"])
        stopped = int(results.candidates["stopped"].notna().sum())
        said = searched.text(chosen, _objectives(results), trials, stopped)
        told.append(("Search", said, searched.LEGEND))
    return told


def _chosen(results: Results) -> pd.DataFrame | None:
    """The trials of a search that did not fail, and whether on its front; None of a grid."""
    if results.candidates.empty:
        return None
    found = searched.searched(results.candidates, results.networks, _objectives(results))
    return None if found.empty else found


def _objectives(results: Results) -> list[str]:
    """The columns that a search was for."""
    return list(results.provenance["config"]["search"]["objectives"])


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
