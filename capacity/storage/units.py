"""What of an experiment's folder is kept elsewhere: units, whole or absent, and loose files."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

WHOLE = "settings.json"
"""In every unit: the last to come and the first to go, so that a unit without it is none."""
ROUNDS = "trials/.rounds/"
_NAME = r"[\w=+,@~%-][\w=+,.@~%-]*"
_FILE = re.compile(rf"(trials/(?:\.rounds/{_NAME}/\d+|{_NAME}))/({_NAME}|\.continuation\.npz)")
_LOCAL = {"trials", "ray"}  # units; logs of Ray, which it writes to all the time


class Unit(NamedTuple):
    """A finished trial, or a round of an unfinished one.

    Attributes:
      stamp: another for each writing of a round; 0 for trials, which are written once.
      files: of a round, which loses its continuation to the next.
    """

    stamp: int
    files: frozenset[str]

    def holds(self, other: "Unit") -> bool:
        """Whether this is `other`, and all of it."""
        return self.stamp == other.stamp and self.files >= other.files


def named(names: Iterable[str]) -> dict[str, frozenset[str]]:
    """The files of each unit among the names of files; others are nobody's."""
    found: dict[str, set[str]] = {}
    for name in names:
        if match := _FILE.fullmatch(name):
            found.setdefault(match[1], set()).add(match[2])
    return {unit: frozenset(files) for unit, files in found.items()}


def of_folder(folder: Path) -> dict[str, Unit]:
    """The units of an experiment's folder, while it is being written."""
    # Rounds first: they go once their trial is there, and must not seem gone without it.
    rounds = [
        f"{ROUNDS}{trial}/{number}"
        for trial in _listed(folder / ROUNDS)
        for number in _listed(folder / ROUNDS / trial)
    ]
    trials = set(_listed(folder / "trials"))
    found = {f"trials/{trial}": Unit(0, frozenset()) for trial in sorted(trials)}
    for name in rounds:
        if trial_of(name) not in trials and (unit := of_round(folder / name)) is not None:
            found[name] = unit
    return found


def of_round(place: Path) -> Unit | None:
    """A round as it is; None if it is there no more."""
    try:
        return Unit((place / WHOLE).stat().st_mtime_ns, frozenset(os.listdir(place)))
    except FileNotFoundError:
        return None


def trial_of(unit: str) -> str:
    """The trial of which a unit is all or a round."""
    return unit.removeprefix(ROUNDS).removeprefix("trials/").partition("/")[0]


def loose(folder: Path) -> dict[str, tuple[int, int]]:
    """The other files by name, each with what changes when it does."""
    found = {}
    for name in _listed(folder):
        if name in _LOCAL:
            continue
        top = folder / name
        for path in [top, *(top.rglob("*") if top.is_dir() else [])]:
            if path.is_file() and not path.name.startswith("."):
                with suppress(FileNotFoundError):
                    stat = path.stat()
                    found[path.relative_to(folder).as_posix()] = stat.st_mtime_ns, stat.st_size
    return found


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
