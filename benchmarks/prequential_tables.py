"""The tables of a prequential code: where the bits went, and the bits of each block."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from benchmarks.grid import Grid, markdown, write_csv
from capacity.information import (
    RAW,
    Code,
    Estimate,
    Ledger,
    Tempering,
    averaged,
    block_code,
    final_bits,
    ledger,
    memorised_bits,
    over_seeds,
)

LAWS = {"raw": RAW, "tempered": Tempering()}
TOGETHER = "tempered mean of the seeds' predictions"


class Said(NamedTuple):
    """Logits of labels before a network saw them, and of training and test labels at the end."""

    before: Float[np.ndarray, "..."]
    fit: Float[np.ndarray, "..."]
    test: Float[np.ndarray, "..."]


class Coded(NamedTuple):
    """A code, its account, and the bits of single labels that the final network knows beyond it."""

    code: Code
    ledger: Ledger
    known: float


def codes(
    said: Said,
    labels: Int[np.ndarray, " n"],
    test_labels: Int[np.ndarray, " tests"],
    cuts: Sequence[int],
) -> dict[str, list[Coded]]:
    """Of a population [members, ...]: every member raw and tempered, and all as one model."""

    def coded(one: Said, law: Tempering) -> Coded:
        code = block_code(one.before, labels, cuts, law)
        fit = final_bits(one.fit, labels, code.weights, law)
        account = ledger(code, fit, final_bits(one.test, test_labels, code.weights, law))
        return Coded(code, account, memorised_bits(code.bits, fit))

    alone = [Said(*one) for one in zip(*said, strict=True)]
    found = {name: [coded(one, law) for one in alone] for name, law in LAWS.items()}
    together = Said(*(averaged(logits) for logits in said))
    return {**found, TOGETHER: [coded(together, LAWS["tempered"])]}


def account(found: Mapping[str, Sequence[Coded]]) -> Grid:
    """Where the bits went: means over seeds, with errors over the seeds and over the labels."""
    rows = []
    for name, seeds in found.items():
        ledgers = [each.ledger for each in seeds]
        rows.append(
            (
                name,
                str(len(seeds)),
                said(over_seeds([each.code.value for each in ledgers])),
                f"{np.mean([each.code.standard_error for each in ledgers]):,.0f}",
                said(over_seeds([each.fit for each in ledgers])),
                said(over_seeds([each.weights.value for each in ledgers])),
                said(over_seeds([each.generalising.value for each in ledgers])),
                f"{np.mean([each.generalising.standard_error for each in ledgers]):,.0f}",
                said(over_seeds([each.memorised.value for each in ledgers])),
                said(over_seeds([each.known for each in seeds])),
            )
        )
    header = (
        "code",
        "codes",
        "L_preq",
        "error over labels",
        "L_fit",
        "I_w",
        "EDL",
        "error over labels and tests",
        "memorised",
        "known beyond the code",
    )
    return Grid("Bits of the training labels; ± is one standard error over seeds", header, rows)


def curve(found: Mapping[str, Sequence[Coded]], class_count: int) -> Grid:
    """Bits per label by block, means over seeds, and the tempered code so far."""
    blocks = [np.mean([each.code.blocks for each in seeds], axis=0) for seeds in found.values()]
    so_far = np.cumsum(blocks[list(found).index("tempered")])
    rows, before = [], 0
    for end, total, *bits in zip(found["raw"][0].code.cuts, so_far, *blocks, strict=True):
        per_label = (f"{block / (end - before):.4f}" for block in bits)
        share = total / (end * np.log2(class_count))
        rows.append((f"{end:,}", *per_label, f"{total:,.0f}", f"{share:.1%}"))
        before = end
    header = ("up to label", *found, "tempered so far", "of uniform")
    return Grid("Bits per label by block", header, rows)


def written(
    folder: Path,
    words: Mapping[str, str],
    grids: Sequence[Grid],
    found: Mapping[str, Sequence[Coded]],
) -> None:
    """`prequential.md`, `account.csv`, `blocks.csv`, and every seed in `seeds.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["# Prequential code", "", *(f"- {name}: {word}" for name, word in words.items()), ""]
    for grid in grids:
        lines += [f"## {grid.title}", "", *markdown(grid), ""]
    (folder / "prequential.md").write_text("\n".join(lines).rstrip() + "\n")
    for name, grid in zip(("account", "blocks"), grids, strict=True):
        write_csv(folder / f"{name}.csv", grid.header, grid.rows)
    rows = [
        (
            name,
            seed,
            *(f"{b:.3f}" for b in (e.code.value, e.fit, e.weights.value, e.generalising.value)),
        )
        for name, seeds in found.items()
        for seed, e in enumerate(each.ledger for each in seeds)
    ]
    header = ("code", "seed", "code_bits", "fit_bits", "weights_bits", "edl_bits")
    write_csv(folder / "seeds.csv", header, rows)


def said(value: Estimate) -> str:
    return (
        f"{value.value:,.0f} ± {value.standard_error:,.0f}"
        if value.standard_error
        else f"{value.value:,.0f}"
    )
