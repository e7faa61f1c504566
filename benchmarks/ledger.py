"""The ledger of the digits: what it takes apart from training, and the laws that it must obey.

python -m benchmarks.ledger [--out results/ledger]
"""

import argparse
import datetime
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from rich.console import Console

from benchmarks.grid import Grid, markdown, show, write_csv
from capacity.device import environment

# Data are measured and programs compiled, not looked up.
os.environ["CAPACITY_CACHE_DIR"] = tempfile.mkdtemp()
os.environ |= environment(2)  # before JAX starts

import jax

from capacity import data
from capacity.accounts import LabelCodes, label_codes, ledger_rows
from capacity.config import Config
from capacity.experiment import load
from capacity.rounds import rounds
from capacity.rows.ledger import LedgerRow
from capacity.subject import Subject, on_device, prepare
from capacity.trial import measured_round

T = TypeVar("T")
CONFIG = Path(__file__).parent.parent / "configs" / "digits.yaml"
BAR = 20.0  # seconds of two cores
SLACK = 10.0  # bits below the uniform code, with probability 2^-9 (Blier & Ollivier, appendix A)


class Spent(NamedTuple):
    """Seconds by the clock and of the cores, compilation included."""

    what: str
    clock: float
    cores: float


class Law(NamedTuple):
    """What was found and what it may be."""

    what: str
    found: float
    least: float
    most: float

    @property
    def kept(self) -> bool:
        return self.least <= self.found <= self.most


def main() -> None:
    """Measures, prints the tables and writes them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/ledger"))
    options = parser.parse_args()
    console = Console()
    config = _config("data.label_noise=0.2")
    spent, rows = _timed(config)
    laws = [*_random("best"), *_random("last"), *_constant()]
    total = sum(each.clock for each in spent)
    verdict = "met" if total < BAR else "missed"
    words = {
        "Command": "python -m benchmarks.ledger",
        "Networks": f"{config.seeds} seeds of 64-64-64-10 on {rows[0].uniform_bits:,.0f} bits of "
        "labels, a fifth of them flipped; dense, one codec",
        "Apart from training": f"{total:.1f} s, of which {BAR:.0f} may be taken: {verdict}",
        "Laws": f"{sum(law.kept for law in laws)} of {len(laws)} kept",
        "Date": datetime.date.today().isoformat(),
        "Device": f"{jax.devices()[0].device_kind}, jax {jax.__version__}",
    }
    grids = [_times(spent), _laws(laws)]
    for name, word in words.items():
        console.print(f"{name}: {word}", highlight=False)
    for grid in grids:
        show(console, grid)
    _written(options.out, words, grids)
    shutil.rmtree(os.environ["CAPACITY_CACHE_DIR"])
    console.print(f"Tables: {options.out}")


def _timed(config: Config) -> tuple[list[Spent], list[LedgerRow]]:
    """Every part of the ledger of one trial, in a process that has compiled training alone."""
    spent: list[Spent] = []

    def part(what: str, work: Callable[[], T]) -> T:
        clock, cores = time.perf_counter(), time.process_time()
        result = work()
        spent.append(Spent(what, time.perf_counter() - clock, time.process_time() - cores))
        return result

    dataset = data.load(**dict(config.data))
    part("measures of the data set", lambda: data.measures(dataset))
    subject = prepare(config, "digits")
    ((_, played),) = rounds(subject, None)  # training, which does not count
    codes = part("prequential code", lambda: label_codes(subject))
    networks = part("evaluation and files", lambda: measured_round(subject, played))
    rows = part("accounts", lambda: ledger_rows(subject, played, networks, codes, None))
    return spent, rows


def _random(keep: str) -> list[Law]:
    """Labels drawn anew hold nothing to learn: no code is shorter, nothing generalises.

    Neither of the network of the least validation loss, which has hardly begun to learn by heart,
    nor of the last one, which is sure of all that it says.
    """
    noise = "data.label_noise=1.0", "data.label_noise_kind=resampled", f"training.keep={keep}"
    _, rows = _ledger(prepare(_config(*noise), "random"))
    laws = []
    for row in rows:
        assert row.prequential_bits is not None
        assert row.generalising_bits is not None
        assert row.generalising_error is not None
        name, error = f"random labels, {keep}, seed {row.seed}", 3 * row.generalising_error
        least = row.uniform_bits - SLACK
        laws.append(Law(f"{name}: L_preq", row.prequential_bits, least, math.inf))
        laws.append(Law(f"{name}: EDL", row.generalising_bits, -error, error))
    return laws


def _constant() -> list[Law]:
    """One label for all: what a code costs is what it takes to find that out.

    A Laplace code that is blind to the inputs takes log2 C(N + K - 1, K - 1) bits; the block code
    pays a uniform first block and may take as many again. The first-epoch code has no such bound,
    as its networks start from what they are and learn at the rate of the training: it must be
    shorter than the uniform code.
    """
    subject = prepare(_config("data.label_noise=0.0"), "constant")
    dataset = subject.dataset
    same = {
        name: split._replace(labels=np.zeros_like(split.labels))
        for name in ("train", "validation", "test", "noisy_test")
        if (split := getattr(dataset, name)) is not None
    }
    splits = {name: on_device(dataset, split) for name, split in same.items()}
    subject = subject._replace(dataset=dataset._replace(**same), **splits)
    codes, rows = _ledger(subject)
    assert codes.codes is not None
    count, classes = len(dataset.train.labels), dataset.class_count
    laplace = math.log2(math.comb(count + classes - 1, classes - 1))
    laws = []
    for row, code in zip(rows, codes.codes, strict=True):
        assert row.first_epoch_bits is not None
        name, first = f"constant labels, seed {row.seed}", code.blocks[0]
        laws.append(Law(f"{name}: L_preq", code.total, first, first + laplace))
        laws.append(Law(f"{name}: first epoch", row.first_epoch_bits, 0, row.uniform_bits))
    return laws


def _ledger(subject: Subject) -> tuple[LabelCodes, list[LedgerRow]]:
    codes = label_codes(subject)
    ((_, played),) = rounds(subject, None)
    return codes, ledger_rows(subject, played, measured_round(subject, played), codes, None)


def _config(*overrides: str) -> Config:
    (config,) = load(CONFIG, ["model.width=64", "pruning.rounds=0", *overrides]).trials.values()
    return config


def _times(spent: list[Spent]) -> Grid:
    rows = [(each.what, f"{each.clock:.1f}", f"{each.cores:.1f}") for each in spent]
    clock, cores = sum(each.clock for each in spent), sum(each.cores for each in spent)
    rows.append(("all", f"{clock:.1f}", f"{cores:.1f}"))
    return Grid("Seconds apart from training", ("part", "by the clock", "of the cores"), rows)


def _laws(laws: list[Law]) -> Grid:
    rows = [
        (law.what, *(f"{bits:,.1f}" for bits in law[1:]), "yes" if law.kept else "NO")
        for law in laws
    ]
    return Grid("Laws, in bits", ("what", "found", "at least", "at most", "kept"), rows)


def _written(folder: Path, words: dict[str, str], grids: list[Grid]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["# The ledger of the digits", ""]
    lines += [*(f"- {name}: {word}" for name, word in words.items()), ""]
    for grid in grids:
        lines += [f"## {grid.title}", "", *markdown(grid), ""]
    (folder / "ledger.md").write_text("\n".join(lines).rstrip() + "\n")
    for name, grid in zip(("seconds", "laws"), grids, strict=True):
        write_csv(folder / f"{name}.csv", grid.header, grid.rows)


if __name__ == "__main__":
    main()
