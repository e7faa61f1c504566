"""How often one linear threshold unit holds random labels: linear programs and Cover's count."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from scipy import stats
from scipy.optimize import linprog

from benchmarks.grid import Grid, markdown, show, write_csv
from capacity.theory import separable_probability, stream_deviation, threshold_capacity

WEIGHTS = (20, 50, 100)
MARGIN = 1e-6  # ten times the tolerance of HiGHS; a smaller margin is as good as none
RATIOS = (1.0, 1.5, 2.0, 2.5, 3.0)
LABELLINGS = ("n", "N/n", "draws", "separable", "fraction", "exact (Cover)", "p (binomial test)")
STREAMS = (
    "n",
    "streams",
    "mean held",
    "2 n",
    "z of the mean",
    "deviation",
    "sqrt(2 n)",
    "p (chi2)",
)


def main() -> None:
    """Prints both tables and writes them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=600, help="labellings for each n and N")
    parser.add_argument("--streams", type=int, default=300, help="streams for each n")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("results/cover"))
    options = parser.parse_args()
    began = time.process_time()
    draw = np.random.default_rng(options.seed)
    grids = (_labellings(draw, options.draws), _streams(draw, options.streams))
    options.out.mkdir(parents=True, exist_ok=True)
    lines = [
        "# One linear threshold unit and random labels",
        "",
        f"`python -m benchmarks.cover --draws {options.draws} --streams {options.streams} "
        f"--seed {options.seed}`, {time.process_time() - began:.0f} s of one core. Gaussian "
        "inputs, n weights with the bias; separable if a linear program (HiGHS) finds a margin.",
    ]
    for grid in grids:
        show(Console(), grid)
        lines += ["", f"## {grid.title}", "", *markdown(grid)]
    (options.out / "cover.md").write_text("\n".join(lines) + "\n")
    write_csv(options.out / "labellings.csv", LABELLINGS, grids[0].rows)
    write_csv(options.out / "streams.csv", STREAMS, grids[1].rows)


def separable(draw: np.random.Generator, points: int, weights: int) -> bool:
    """Whether fresh random labels of `points` fresh inputs are linearly separable."""
    return _feasible(_signed(draw, points, weights))


def largest_separable_prefix(draw: np.random.Generator, weights: int) -> int:
    """The labels that a unit holds of one random stream until it cannot hold one more."""
    signed = _signed(draw, 6 * weights + 60, weights)  # it is shorter with probability < 1e-9
    low, high = weights, len(signed)  # the first `low` are separable, the first `high` are not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _feasible(signed[:middle]) else (low, middle)
    return low


def _signed(draw: np.random.Generator, points: int, weights: int) -> np.ndarray:
    """Inputs extended by 1 for the bias, times their random labels of -1 and 1."""
    inputs = np.hstack([draw.standard_normal((points, weights - 1)), np.ones((points, 1))])
    return inputs * draw.choice([-1.0, 1.0], (points, 1))


def _feasible(signed: np.ndarray) -> bool:
    """Whether some w has signed @ w > 0, which is separability.

    As the largest margin t with signed @ w >= t and |w| <= 1: bounded and feasible always, where
    plain feasibility (signed @ w >= 1) can be too ill-conditioned for the solver to tell.
    """
    points, weights = signed.shape
    found = linprog(
        np.append(np.zeros(weights), -1),
        np.hstack([-signed, np.ones((points, 1))]),
        np.zeros(points),
        bounds=[*[(-1, 1)] * weights, (0, 1)],
        method="highs",
    )
    if found.status != 0:
        raise ArithmeticError(f"the linear program was not solved: {found.message}")
    return -found.fun > MARGIN


def _labellings(draw: np.random.Generator, draws: int) -> Grid:
    rows: list[tuple[str, ...]] = []
    for weights in WEIGHTS:
        for ratio in RATIOS:
            points = round(ratio * weights)
            held = sum(separable(draw, points, weights) for _ in range(draws))
            exact = separable_probability(points, weights)
            p = stats.binomtest(held, draws, exact).pvalue
            row = (str(weights), f"{ratio:g}", str(draws), str(held), f"{held / draws:.4f}")
            rows.append((*row, f"{exact:.4g}", f"{p:.3f}"))
    return Grid("Random labels of N inputs", LABELLINGS, rows)


def _streams(draw: np.random.Generator, streams: int) -> Grid:
    return Grid(
        "Labels held of an endless stream",
        STREAMS,
        [
            _stream_row(weights, [largest_separable_prefix(draw, weights) for _ in range(streams)])
            for weights in WEIGHTS
        ],
    )


def _stream_row(weights: int, held: Sequence[int]) -> tuple[str, ...]:
    mean, wanted = float(np.mean(held)), threshold_capacity(weights)
    deviation, exact = float(np.std(held, ddof=1)), stream_deviation(weights)
    z = (mean - wanted) / (exact / np.sqrt(len(held)))
    square = stats.chi2(len(held) - 1).cdf((len(held) - 1) * (deviation / exact) ** 2)
    p = 2 * min(square, 1 - square)
    numbers = (f"{mean:.2f}", str(wanted), f"{z:+.2f}", f"{deviation:.2f}", f"{exact:.2f}")
    return (str(weights), str(len(held)), *numbers, f"{p:.3f}")


if __name__ == "__main__":
    main()
