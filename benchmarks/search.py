"""How many trials a search takes on tables of architectures, beside random search.

python -m benchmarks.search [--runs 50] [--out results/search]
"""

import argparse
import datetime
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console

from benchmarks.grid import Grid, markdown, show, verdict
from benchmarks.search_landscape import SPACES, Landscape, key, landscape
from capacity.analysis import style
from capacity.search import (
    AtRandom,
    Evolution,
    Searcher,
    Space,
    hypervolume,
    hypervolume_over_time,
    pareto_front,
)
from capacity.search.tpe import Tpe

SHARES = (0.05, 0.01)  # of the table: the best so many are to be reached
TIMES = 0.5  # as many trials as random search, at most
BUDGET = 40  # trials of a search for two things at once
Make = Callable[[Space, int, int], Searcher]
METHODS: dict[str, Make] = {
    "random": lambda space, seed, n: AtRandom(space, seed),
    "tpe, 10 random first": lambda space, seed, n: Tpe(space, seed, objectives=n),
    "tpe, 3 random first": lambda space, seed, n: Tpe(space, seed, objectives=n, startup=3),
    "tpe, 1 random first": lambda space, seed, n: Tpe(space, seed, objectives=n, startup=1),
    "tpe, from the middle": lambda space, seed, n: Tpe(
        space, seed, objectives=n, startup=1, middle=True
    ),
    "evolution, 10 random first": lambda space, seed, n: Evolution(space, seed),
    "evolution, 3 random first": lambda space, seed, n: Evolution(
        space, seed, startup=3, tournament=10
    ),
    "evolution, 1 random first": lambda space, seed, n: Evolution(
        space, seed, startup=1, tournament=10
    ),
    "evolution, from the middle": lambda space, seed, n: Evolution(
        space, seed, startup=1, tournament=10, middle=True
    ),
}
DRAWN = {
    "random": style.GREY,
    "tpe, 1 random first": style.PALETTE[0],
    "tpe, from the middle": style.PALETTE[5],
    "evolution, 1 random first": style.PALETTE[1],
    "evolution, from the middle": style.PALETTE[4],
}
BY_TWO: dict[str, Make] = {
    "random": METHODS["random"],
    "tpe, 10 random first": METHODS["tpe, 10 random first"],
    "evolution, 10 random first": METHODS["evolution, 10 random first"],
    "evolution, 40 alive": lambda space, seed, n: Evolution(
        space, seed, population=40, tournament=10, startup=5
    ),
}
COLOURS = (style.GREY, *style.PALETTE[:2], style.PALETTE[4])


class Two(NamedTuple):
    """Searches for small and accurate: by run, the area by trial and the last front's costs."""

    area: np.ndarray
    fronts: list[np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--out", type=Path, default=Path("results/search"))
    options = parser.parse_args()
    tables = {name: landscape(name, options.out) for name in SPACES}
    reached = {
        name: {m: _all_trials(name, tables[name], m, options.runs) for m in METHODS}
        for name in tables
    }
    found = {
        name: {m: _two(name, tables[name], make, options.runs) for m, make in BY_TWO.items()}
        for name in tables
    }
    grids = [
        _trials_grid(name, tables[name], reached[name], share)
        for name in tables
        for share in SHARES
    ]
    grids += [_area_grid(name, tables[name], found[name]) for name in tables]
    for grid in grids:
        show(Console(width=120), grid)
    lines = [
        "# How many trials a search takes",
        "",
        "- Command: `python -m benchmarks.search`",
        f"- Date: {datetime.date.today().isoformat()}",
        f"- {options.runs} runs of each; no method tries an architecture twice",
        "- Tables: [`even.csv`](even.csv), [`layered.csv`](layered.csv), by "
        "`benchmarks/search_landscape.py`: perceptrons on the digits, means over three seeds, as "
        "their files decode; validation accuracy is what is searched by",
        "- *from the middle*: the first trial is in the middle of all axes; where the axes are put "
        "is then a guess at the best, and part of the method",
        "- *random first*: chance reaches the best 5 % of any table in a median of 13 trials where "
        "all points are as likely, so that ten random ones leave nothing to gain there; in "
        "`layered` each depth is as likely, and the few shallow networks are the good ones",
        "- *10 random first* are the defaults. The other rows were picked after six settings of "
        "TPE and some two hundred of evolution (start, population, tournament, steps of a "
        "mutation) had been tried on these very tables, and are flattered by that; *40 alive* (5 "
        "random first, tournaments of 10) is the best of ten for two things at once",
    ]
    for grid in grids:
        lines += ["", f"## {grid.title}", "", *markdown(grid)]
    (options.out / "search.md").write_text("\n".join(lines) + "\n")
    with style.page():
        drawn = figure({m: t[:, 0] for m, t in reached["even"].items()}, found["even"])
        (options.out / "search.png").write_bytes(style.saved(drawn, "png"))
        (options.out / "search.pdf").write_bytes(style.saved(drawn, "pdf"))


def best(table: Landscape, share: float) -> set[tuple]:
    """The best `share` of a table by accuracy, with what equals the last of them."""
    accuracies = sorted((each.accuracy for each in table.values()), reverse=True)
    least = accuracies[int(np.ceil(share * len(table))) - 1]
    return {place for place, each in table.items() if each.accuracy >= least}


def trials_to_best(table: Landscape, search: Searcher) -> list[int]:
    """How many trials it takes to reach one of the best, by each of `SHARES`."""
    found: list[int] = []
    for number in range(1, len(table) + 1):
        point = search.ask()
        while key(point) in best(table, SHARES[len(found)]):
            found.append(number)
            if len(found) == len(SHARES):
                return found
        search.tell(point, (-table[key(point)].accuracy,))
    raise AssertionError("the whole table was tried")


def costs(table: Landscape, places: list[tuple]) -> np.ndarray:
    """Error and bytes [places, 2]."""
    return np.array([(1 - table[place].accuracy, table[place].size) for place in places])


def reference(table: Landscape) -> tuple[float, float]:
    """The worst of both in the table."""
    error, size = costs(table, list(table)).max(axis=0)
    return float(error), float(size)


def covered(front: np.ndarray, other: np.ndarray) -> float:
    """The share of `other` that something in `front` is no worse than (Zitzler & Thiele, 1999)."""
    return float(np.mean((front[:, None] <= other[None]).all(axis=2).any(axis=0)))


def figure(reached: dict[str, np.ndarray], found: dict[str, Two]) -> Figure:
    """Left: runs that have reached the best; right: the area that a search for two still lacks."""
    fig = Figure(figsize=(style.WIDTH, style.HEIGHT), layout="constrained")
    left, right = fig.subplots(1, 2)
    for name, colour in DRAWN.items():
        trials = np.sort(reached[name])
        shares = np.arange(1, len(trials) + 1) / len(trials)
        left.plot([0, *trials], [0, *shares], drawstyle="steps-post", color=colour, label=name)
    left.axhline(0.5, color="black", linewidth=0.6, linestyle=":")
    left.set(xlabel="Trials", ylabel="Share of runs at the best 5 %", xlim=(0, 40), ylim=(0, 1.02))
    left.legend(loc="lower right", fontsize=7)
    for (name, two), colour in zip(found.items(), COLOURS, strict=True):
        number = np.arange(1, two.area.shape[1] + 1)
        low, middle, high = np.quantile(1 - two.area, (0.25, 0.5, 0.75), axis=0)
        right.plot(number, middle, color=colour, label=name)
        right.fill_between(number, low, high, color=colour, alpha=0.15, linewidth=0)
    right.set(xlabel="Trials", ylabel="Share of the area not yet dominated", yscale="log")
    right.legend(loc="upper right", fontsize=7)
    style.note(fig, "right: for small and accurate at once; medians and quartiles of the runs")
    return fig


def _all_trials(name: str, table: Landscape, method: str, runs: int) -> np.ndarray:
    space, make = SPACES[name], METHODS[method]
    return np.array([trials_to_best(table, make(space, run, 1)) for run in range(runs)])


def _two(name: str, table: Landscape, make: Make, runs: int) -> Two:
    space, corner = SPACES[name], reference(table)
    whole = hypervolume(costs(table, list(table)), corner)
    areas, fronts = [], []
    for run in range(runs):
        search, places = make(space, run, 2), []
        for _ in range(BUDGET):
            point = search.ask()
            places.append(key(point))
            search.tell(point, costs(table, places[-1:])[0].tolist())
        tried = costs(table, places)
        areas.append(hypervolume_over_time(tried, corner) / whole)
        fronts.append(tried[pareto_front(tried)])
    return Two(np.array(areas), fronts)


def _trials_grid(name: str, table: Landscape, reached: dict[str, np.ndarray], share: float) -> Grid:
    at = SHARES.index(share)
    chance = float(np.median(reached["random"][:, at]))
    rows = []
    for method, every in reached.items():
        trials = every[:, at]
        middle = float(np.median(trials))
        met = "" if method == "random" else verdict(middle < TIMES * chance)
        cells = (f"{middle:g}", f"{np.mean(trials):.1f}", f"{np.quantile(trials, 0.9):.0f}")
        rows.append((method, *cells, f"{middle / chance:.2f}", met))
    title = f"{name}: trials until one of the best {len(best(table, share))} of {len(table)}"
    header = ("method", "median", "mean", "nine in ten", "of random's", f"below {TIMES:g}")
    return Grid(title, header, rows)


def _area_grid(name: str, table: Landscape, found: dict[str, Two]) -> Grid:
    """The last area, the fronts run by run, and when the median has random search's last area."""
    chance = found["random"]
    goal = float(np.median(chance.area[:, -1]))
    rows = []
    for method, two in found.items():
        last = two.area[:, -1]
        pairs = list(zip(two.fronts, chance.fronts, strict=True))
        when = int(np.argmax(np.median(two.area, axis=0) >= goal)) + 1
        met = "" if method == "random" else verdict(float(np.median(last)) > goal)
        rows.append(
            (
                method,
                f"{np.median(last):.4f}",
                f"{np.mean(last > chance.area[:, -1]):.0%}",
                f"{np.median([covered(mine, his) for mine, his in pairs]):.0%}",
                f"{np.median([covered(his, mine) for mine, his in pairs]):.0%}",
                str(when),
                met,
            )
        )
    title = f"{name}: small and accurate, {BUDGET} trials of {len(table)}"
    header = (
        "method",
        "area, of the table's",
        "runs above random's",
        "of random's front no better",
        "of its front no better than random's",
        "trials to random's area",
        "above",
    )
    return Grid(title, header, rows)


if __name__ == "__main__":
    main()
