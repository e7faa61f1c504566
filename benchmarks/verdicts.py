"""From turns to verdicts: medians, ratios within a round, and whether a target is met."""

import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.contender import Turn
from benchmarks.workloads import WORKLOADS


class Record(NamedTuple):
    """A turn and where it belongs."""

    round: int
    workload: str
    contender: str
    turn: Turn

    @property
    def rate(self) -> float:
        """Work per second of the core; what other processes take of the core is not counted."""
        return self.turn.work / self.turn.core_seconds

    @property
    def clock_rate(self) -> float:
        """Work per second of the clock."""
        return self.turn.work / self.turn.seconds


class Verdict(NamedTuple):
    """One line of the table: what must be reached, what was, and how far the rounds disagree."""

    what: str
    target: str
    measured: str
    lowest: str
    highest: str
    best_of: str
    clock: str
    met: str


class Rate(NamedTuple):
    """One contender on one workload."""

    workload: str
    contender: str
    median: float
    best: float
    limit_share: float
    loss: float


RATIOS = (
    ("digits", "torch best", 12.0),
    ("digits", "torch usual", 20.0),
    ("lenet", "torch best", 3.0),
    ("lenet", "torch usual", 6.5),
)
LARGEST_MASK_COST = 8.0
LEAST_OF_TWO = 1.8
LARGEST_LEVEL = 45.0


def verdicts(records: Sequence[Record]) -> list[Verdict]:
    """Every target, in the order of the workloads."""
    found = [_ratio(records, *each) for each in RATIOS]
    found += [_mask_cost(records, workload) for workload in WORKLOADS]
    for workload in WORKLOADS:
        found += _two_cores(records, workload)
    return found + _level(records)


def rates(records: Sequence[Record]) -> list[Rate]:
    """Steps per core second of every contender, and their share of the core's matrix products."""
    limit = max(r.rate for r in records if r.contender == "limit")
    found = []
    for name, workload in WORKLOADS.items():
        contenders = dict.fromkeys(r.contender for r in records if r.workload == name)
        for contender in contenders:
            if contender.startswith(("core", "one lottery")):
                continue
            turns = _of(records, name, contender)
            median, best = statistics.median(r.rate for r in turns), max(r.rate for r in turns)
            share = median * workload.operations / limit
            found.append(Rate(name, contender, median, best, share, turns[-1].turn.loss))
    return found


def matrix_limit(records: Sequence[Record]) -> tuple[float, float]:
    """Median and best rate, operations per core second, of large matrix products."""
    found = [r.rate for r in records if r.contender == "limit"]
    return statistics.median(found), max(found)


def _ratio(records: Sequence[Record], workload: str, peer: str, least: float) -> Verdict:
    pairs = list(zip(_of(records, workload, "ours"), _of(records, workload, peer), strict=True))
    values = [a.rate / b.rate for a, b in pairs]
    median = statistics.median(a.rate for a, _ in pairs) / statistics.median(
        b.rate for _, b in pairs
    )
    best = max(a.rate for a, _ in pairs) / max(b.rate for _, b in pairs)
    clock = statistics.median(a.clock_rate / b.clock_rate for a, b in pairs)
    return Verdict(
        f"{WORKLOADS[workload].title} ours / {peer}",
        f"at least {least:g} x",
        *(f"{value:.2f} x" for value in (median, min(values), max(values), best, clock)),
        met="yes" if median >= least else "NO",
    )


def _mask_cost(records: Sequence[Record], workload: str) -> Verdict:
    pairs = list(
        zip(_of(records, workload, "ours"), _of(records, workload, "ours, no mask"), strict=True)
    )
    values = [100 * (without.rate / on.rate - 1) for on, without in pairs]
    best = 100 * (max(b.rate for _, b in pairs) / max(a.rate for a, _ in pairs) - 1)
    clock = statistics.median(100 * (b.clock_rate / a.clock_rate - 1) for a, b in pairs)
    median = statistics.median(values)
    return Verdict(
        f"{WORKLOADS[workload].title} time that masks add",
        f"at most {LARGEST_MASK_COST:g} %",
        *(f"{value:+.1f} %" for value in (median, min(values), max(values), best, clock)),
        met="yes" if median <= LARGEST_MASK_COST else "NO",
    )


def _two_cores(records: Sequence[Record], workload: str) -> list[Verdict]:
    """Rates of both cores at once over the mean rate of a core alone.

    The target is one of elapsed time, which other processes spoil; processor time tells only what
    the two take from each other through cache and memory, and has no target.
    """

    def ratios(attribute: str) -> list[float]:
        alone, both = (
            [
                [getattr(r, attribute) for r in _of(records, workload, f"core {core} {company}")]
                for core in (0, 1)
            ]
            for company in ("alone", "with the other")
        )
        return [
            2 * sum(b) / sum(a)
            for a, b in zip(zip(*alone, strict=True), zip(*both, strict=True), strict=True)
        ]

    values, clock = ratios("rate"), ratios("clock_rate")
    median, what = statistics.median(clock), "two trials on two cores / one"
    title = WORKLOADS[workload].title
    met = "yes" if median >= LEAST_OF_TWO else "NO"

    def line(said: str, target: str, of: list[float], clock: str, met: str) -> Verdict:
        middle, least, most = (f"{v:.2f} x" for v in (statistics.median(of), min(of), max(of)))
        return Verdict(f"{title} {what}, {said}", target, middle, least, most, "", clock, met)

    return [
        line("clock", f"at least {LEAST_OF_TWO:g} x", clock, f"{median:.2f} x", met),
        line("core seconds", "", values, "", ""),
    ]


def _level(records: Sequence[Record]) -> list[Verdict]:
    found = [r.turn for r in records if r.contender == "one lottery level"]
    return [
        Verdict(
            f"{WORKLOADS['lenet'].title} a lottery level of 50,000 steps",
            f"at most {LARGEST_LEVEL:g} s",
            f"{turn.core_seconds:.1f} s",
            "",
            "",
            "",
            f"{turn.seconds:.1f} s",
            "yes" if turn.core_seconds <= LARGEST_LEVEL else "NO",
        )
        for turn in found
    ]


def _of(records: Iterable[Record], workload: str, contender: str) -> list[Record]:
    return [r for r in records if r.workload == workload and r.contender == contender]
