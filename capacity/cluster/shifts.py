"""What a trial of Tune is: a shift of packs, one after the other on one worker."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from capacity.config import Config
from capacity.packing import packs

MOST = 400
"""Trials of Tune, which keeps them all and writes them down again and again."""
PACKS = 2
"""Of each worker, where there are trials enough: as no pack takes as long as another."""


class Shift(NamedTuple):
    """Packs as a worker takes them: in each, trials by their names."""

    name: str
    packs: Sequence[Mapping[str, Config]]

    @property
    def trials(self) -> list[str]:
        """Of all packs."""
        return [name for pack in self.packs for name in pack]


def shifts(trials: Mapping[str, Config], workers: int) -> list[Shift]:
    """All trials, in as many shifts as there are packs, up to a number that Tune bears."""
    found = packs(trials, PACKS * workers)
    length = max(1, math.ceil(len(found) / max(MOST, PACKS * workers)))
    return [_shift(trials, found[i : i + length]) for i in range(0, len(found), length)]


def _shift(trials: Mapping[str, Config], own: Sequence[tuple[str, ...]]) -> Shift:
    first, count = own[0][0], sum(map(len, own))
    taken = [{name: trials[name] for name in pack} for pack in own]
    return Shift(first if count == 1 else f"{first}+{count - 1}", taken)
