"""The claims of Frankle & Carbin (2019) for LeNet-300-100, published beside measured.

TFDS_DATA_DIR=... python -m capacity.sweep configs/lottery.yaml name=mine    # first
python -m benchmarks.tickets results/mine
"""

import argparse
from pathlib import Path

import pandas as pd
from rich.console import Console

from benchmarks.grid import Grid, markdown, show, verdict
from capacity import store

ROUNDS = {7: 21.1, 9: 13.5, 11: 8.7, 15: 3.6}
"""Per cent of the weights that are left after so many rounds, as published."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="folder of the experiment")
    parser.add_argument("--out", type=Path, default=Path("results/lottery"))
    options = parser.parse_args()
    networks = store.read(options.results).networks
    grids = [claims(networks), levels(networks)]
    for grid in grids:
        show(Console(width=140), grid)
    lines = [
        "# Lottery tickets, published and measured",
        "",
        "- Frankle & Carbin, The Lottery Ticket Hypothesis, ICLR 2019, arXiv:1803.03635",
        "- Command: `python -m benchmarks.tickets results/lottery`, from the rows of "
        "`configs/lottery.yaml`",
        f"- {networks['seed'].nunique()} seeds, {int(networks['steps'].max()):,} steps of their "
        "50,000; test accuracy at the step of the smallest validation loss",
        "",
    ]
    for grid in grids:
        lines += [f"## {grid.title}", "", *markdown(grid), ""]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "tickets.md").write_text("\n".join(lines))


def claims(networks: pd.DataFrame) -> Grid:
    """Each claim with what was measured and whether it holds."""
    dense = _at(networks, 0)
    rows = []
    for number, published in ROUNDS.items():
        left = 100 * _at(networks, number)["density"].mean()
        rows.append(
            (
                f"weights left after {number} rounds",
                f"{published} %",
                f"{left:.2f} %",
                "within 0.05",
                # The published figures are rounded to a tenth.
                verdict(abs(round(left, 1) - published) <= 0.05),
            )
        )
    ticket, fresh = _at(networks, 9), _at(networks, 9, "reinitialised")
    gain, over = (_points(ticket, other) for other in (dense, fresh))
    rows += [
        (
            "tickets over dense, 13.5 %",
            "> +0.3 points",
            _signed(gain),
            ">= +0.2",
            _met(gain >= 0.2),
        ),
        ("tickets over fresh weights, 13.5 %", "", _signed(over), ">= +0.4", _met(over >= 0.4)),
    ]
    ticket, fresh = _at(networks, 7), _at(networks, 7, "reinitialised")
    steps = [each["best_step"].mean() for each in (ticket, dense, fresh)]
    rows += [
        (
            "early stop at 21 %, against dense",
            "38 % earlier",
            f"{steps[0]:,.0f} to {steps[1]:,.0f}: {1 - steps[0] / steps[1]:.0%} earlier",
            "earlier",
            verdict(steps[0] < steps[1]),
        ),
        (
            "early stop at 21 %, against fresh weights",
            "2.51 times faster",
            f"{steps[0]:,.0f} to {steps[2]:,.0f}: {steps[2] / steps[0]:.2f} times",
            "faster",
            verdict(steps[0] < steps[2]),
        ),
    ]
    final = _points(_at(networks, 15), dense)
    error = 100 * float(dense["test_accuracy"].std() / len(dense) ** 0.5)
    rows.append(
        (
            "tickets over dense, 3.6 %",
            "about 0",
            f"{_signed(final)} (standard error of dense {error:.2f})",
            ">= -1 standard error",
            verdict(final >= -error),
        )
    )
    return Grid("Claims", ("claim", "published", "measured", "to reach", "met"), rows)


def levels(networks: pd.DataFrame) -> Grid:
    """Every level: accuracy and early stop of tickets and of fresh weights."""
    rows = []
    for number in sorted(networks["round"].unique()):
        cells = []
        for control in ("ticket", "reinitialised"):
            own = _at(networks, int(number), control)
            if own.empty:
                cells += ["", ""]
                continue
            accuracy = 100 * own["test_accuracy"]
            cells += [
                f"{accuracy.mean():.2f} ± {accuracy.std() / len(own) ** 0.5:.2f}",
                f"{own['best_step'].mean():,.0f}",
            ]
        left = 100 * _at(networks, int(number))["density"].mean()
        rows.append((f"{left:.1f} %", *cells))
    header = ("weights left", "ticket, %", "early stop", "fresh weights, %", "early stop")
    return Grid("Levels: means over seeds ± one standard error", header, rows)


def _at(networks: pd.DataFrame, number: int, control: str = "ticket") -> pd.DataFrame:
    return networks[(networks["round"] == number) & (networks["control"] == control)]


def _points(above: pd.DataFrame, below: pd.DataFrame) -> float:
    return 100 * (above["test_accuracy"].mean() - below["test_accuracy"].mean())


def _signed(points: float) -> str:
    return f"{points:+.2f} points"


def _met(yes: bool) -> str:
    return verdict(bool(yes))


if __name__ == "__main__":
    main()
