"""Figures of others that are quoted, not measured here: each with where it is from."""

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.grid import Grid


class SameIntegers(NamedTuple):
    """Bytes of the weight matrices' integers, and what the two presets must reach.

    Attributes:
      nncodec: NNCodec 2.1.3, the best of its scan orders.
      fast_prototype, max_prototype: context mixing without and with correlations, the latter on
        reordered units.
      fast, max: to reach; None where nothing was asked.
    """

    nncodec: int
    fast_prototype: int
    max_prototype: int
    fast: int | None = None
    max: int | None = None


SAME_INTEGERS = {
    "lenet300_dense_s0": SameIntegers(40_972, 33_736, 31_523, 33_700, 31_500),
    "lenet300_p08_s0": SameIntegers(16_355, 14_245, 13_383, 14_200, 13_350),
    "lenet5_dense_s0": SameIntegers(61_160, 58_105, 47_764, 58_000, 47_700),
    "lenet5_p08_s0": SameIntegers(28_030, 26_578, 22_383),
    "lenet5_p02_s0": SameIntegers(9_570, 8_968, 8_149),
}


class WholeFile(NamedTuple):
    """A network's file: bytes, and of what it decodes to the test accuracy in percent and the
    loss in bits."""

    size: int
    accuracy: float
    loss: float


class Asked(NamedTuple):
    """What others reach with a whole file, and what ours must.

    Attributes:
      accuracy: least, in percent; of the float32 network less 0.1 where nothing was trained on.
      nncodec: NNCodec 2.1.3, the best of its settings; None where it does not apply.
      cerwu: CERWU (Conzelmann & Bamler, arXiv:2505.18758) with NNCodec's coder.
      prototype: measured when the target was set.
    """

    title: str
    accuracy: float
    nncodec: int | None
    cerwu: int | None
    prototype: int
    bar: int


# Accuracies of the float32 networks: 98.16, 98.21, 99.35 and 99.40 %.
WHOLE_FILES = {
    "lenet300_dense_s0": Asked("LeNet-300-100, dense", 98.06, 31_293, 15_707, 13_048, 13_000),
    "lenet300_p08_s0": Asked("LeNet-300-100, 8 %", 98.11, 15_803, 11_491, 9_526, 9_500),
    "lenet5_dense_s0": Asked("LeNet-5, dense", 99.25, 42_879, 39_304, 23_553, 23_500),
    "lenet5_p08_s0": Asked("LeNet-5, 8 %", 99.30, 25_250, 20_339, 17_103, 17_000),
    "lenet300_tuned": Asked("LeNet-300-100, fine-tuned", 98.1, None, None, 4_240, 4_200),
    "lenet5_tuned": Asked("LeNet-5, fine-tuned", 99.25, None, None, 2_810, 2_800),
    "lenet5_tuned_small": Asked("LeNet-5, fine-tuned further", 98.95, None, None, 1_510, 1_500),
}


def whole_file_grid(found: Mapping[str, WholeFile]) -> Grid:
    """Whole files by a name in WHOLE_FILES, beside the peers' figures and what is to be reached."""
    rows = []
    for name, asked in WHOLE_FILES.items():
        ours = found.get(name)
        met = ours and ours.size <= asked.bar and ours.accuracy >= asked.accuracy - 1e-9
        rows.append(
            (
                asked.title,
                f"{asked.nncodec:,}" if asked.nncodec else "",
                f"{asked.cerwu:,}" if asked.cerwu else "",
                f"{asked.prototype:,}",
                f"<= {asked.bar:,}",
                f"{ours.size:,}" if ours else "not measured",
                f">= {asked.accuracy:.2f}",
                f"{ours.accuracy:.2f}" if ours else "",
                f"{ours.loss:.4f}" if ours else "",
                ("yes" if met else "MISSED") if ours else "",
            )
        )
    header = (
        "whole file, bytes",
        "NNCodec, quoted",
        "CERWU, quoted",
        "prototype",
        "to reach",
        "ours",
        "accuracy to keep",
        "accuracy, %",
        "loss, bits",
        "met",
    )
    return Grid("Whole files against post-training peers", header, rows)


class Published(NamedTuple):
    """A result as its source states it; an empty field is one that it does not state.

    Attributes:
      kind: what its size is: files, budgets of bits and ratios are not the same thing.
      error: on the test split, in percent.
    """

    work: str
    network: str
    size: str
    ratio: str
    error: str
    kind: str


# Only what was read in the paper, or in the authors' own repository or tutorial.
LITERATURE = (
    Published(
        "Deep Compression, Han et al. 2016, arXiv:1510.00149",
        "LeNet-300-100",
        "27 KB",
        "40",
        "",
        "budget",
    ),
    Published(
        "Oktay et al. 2020, arXiv:1906.06624", "LeNet-300-100", "8.56 KB", "124", "1.9", "coded"
    ),
    Published(
        "Deep Compression, Han et al. 2016, arXiv:1510.00149",
        "LeNet-5",
        "44 KB",
        "39",
        "0.74",
        "budget",
    ),
    Published(
        "Bayesian Compression, Louizos et al. 2017, arXiv:1705.08665",
        "LeNet-5",
        "",
        "361 to 419",
        "1.0",
        "ratio",
    ),
    Published(
        "Universal compression, Choi et al. 2018, arXiv:1802.02271",
        "LeNet-5",
        "",
        "124.8",
        "",
        "ratio",
    ),
    Published(
        "DeepCABAC, Wiedemann et al. 2020, arXiv:1907.11900, dense",
        "LeNet-5",
        "",
        "39.7",
        "",
        "ratio",
    ),
    Published(
        "DeepCABAC, Wiedemann et al. 2020, arXiv:1907.11900, sparse",
        "LeNet-5",
        "",
        "115",
        "",
        "ratio",
    ),
    Published(
        "MIRACLE, Havasi et al. 2019, arXiv:1810.00440",
        "LeNet-5",
        "3.03 kB",
        "555",
        "0.69",
        "coded",
    ),
    Published(
        "MIRACLE, Havasi et al. 2019, arXiv:1810.00440",
        "LeNet-5",
        "1.52 kB",
        "1110",
        "0.96",
        "coded",
    ),
    Published(
        "Oktay et al. 2020, arXiv:1906.06624", "LeNet-5", "2.84 KB", "606", "0.9 to 1.0", "coded"
    ),
)
PARAMETERS = {"LeNet-300-100": 266_610, "LeNet-5": 431_080}


def literature_grid(found: Mapping[str, WholeFile]) -> Grid:
    """Published sizes on MNIST and, after those of each network, ours."""
    rows = []
    for network, parameters in PARAMETERS.items():
        rows += [tuple(each) for each in LITERATURE if each.network == network]
        for name, asked in WHOLE_FILES.items():
            if asked.title.startswith(network) and (ours := found.get(name)):
                own = Published(
                    f"ours: {asked.title}",
                    network,
                    f"{ours.size / 1000:.2f} kB",
                    f"{4 * parameters / ours.size:.0f}",
                    f"{100 - ours.accuracy:.2f}",
                    "file",
                )
                rows.append(tuple(own))
    header = ("work", "network", "size", "times smaller", "error, %", "what the size is")
    return Grid("MNIST networks in the literature", header, rows)
