"""What an experiment has elsewhere and not here: brought here, before it goes on.

A round of a number is taken for the same round here and there. Where two machines trained one trial
behind the same round, each without the other, the rounds of one may follow those of the other.
"""

import json
import os
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any

from capacity.files import locked, write, write_folder, writing
from capacity.storage.mirror import each
from capacity.storage.place import Place
from capacity.storage.units import ROUNDS, WHOLE, named, trial_of
from capacity.store import StoreError, parsed_provenance, provenance, same


def fetch(
    place: Place,
    folder: Path,
    config: Mapping[str, Any],
    *,
    resume: bool,
    say: Callable[[str], object],
) -> dict[str, int]:
    """Brings trials and rounds; tables are made of them again. Gives the files there by size.

    Raises:
      StoreError: what is here or there is another experiment's, or must be resumed, or cannot be
        read there or written here.
    """
    config = json.loads(json.dumps(config))
    here = provenance(folder)
    if here is not None:
        same(folder, here["config"], config)
    there = {name: size for name, size in place.listed().items() if _visible(name)}
    data = place.get("provenance.json")
    if data is None:
        if there:
            raise StoreError(
                f"{place.address} is not empty ('{min(there)}') and holds no results of ours: "
                "choose another name"
            )
        return there
    found = parsed_provenance(f"{place.address}/provenance.json", data)
    same(place.address, found["config"], config)
    whole = {unit: files for unit, files in sorted(named(there).items()) if WHOLE in files}
    if not resume and not all(unit.startswith(ROUNDS) for unit in whole):
        raise StoreError(
            f"{place.address} holds results of this experiment already: "
            "add --resume to carry on, or choose another name"
        )
    with writing(folder):
        (folder / "trials").mkdir(parents=True, exist_ok=True)
        lock = locked(folder / "trials" / ".lock", folder)
    try:
        _write_provenance(folder, found)
        _bring(place, folder, there, whole, say)
    finally:
        if lock is not None:
            os.close(lock)
    return there


def _write_provenance(folder: Path, found: dict[str, Any]) -> None:
    """First of all, as without it what is fetched would be nobody's; tables are those here."""
    here = provenance(folder)
    found["tables"] = here["tables"] if here is not None else []
    if here is not None:  # what is here of a run is not older
        runs = {str(run.get("started")): run for run in [*found["runs"], *here["runs"]]}
        found["runs"] = [runs[started] for started in sorted(runs)]
    write(folder / "provenance.json", json.dumps(found, indent=1) + "\n")


def _bring(
    place: Place,
    folder: Path,
    there: Mapping[str, int],
    whole: Mapping[str, Set[str]],
    say: Callable[[str], object],
) -> None:
    """The units that are missing here, each whole or not at all."""
    trials = {trial_of(unit) for unit in whole if not unit.startswith(ROUNDS)}
    missing: list[str] = []
    for unit in whole:
        if _missing(unit, folder, trials) and _follows(unit, folder, missing):
            missing.append(unit)
    of_trials: dict[str, list[str]] = {}  # rounds in order: one counts after those before it
    for unit in missing:
        of_trials.setdefault(trial_of(unit), []).append(unit)

    def brought(name: str) -> bytes:
        data = place.get(name) or b""
        if len(data) != there[name]:
            raise StoreError(f"{place.address}/{name} is cut off: remove the file and resume")
        return data

    def fetched(units: list[str]) -> None:
        for unit in units:
            contents = {file: brought(f"{unit}/{file}") for file in sorted(whole[unit])}
            with writing(folder / unit):
                (folder / unit).parent.mkdir(parents=True, exist_ok=True)
            write_folder(folder / unit, contents)

    if missing:
        rounds = sum(unit.startswith(ROUNDS) for unit in missing)
        many = f"{place.address}: trials {len(missing) - rounds}, rounds {rounds}"
        say(f"to be fetched from {many}")
        each(fetched, of_trials.values())
        say(f"fetched from {many}")


def _missing(unit: str, folder: Path, trials: set[str]) -> bool:
    """Whether a unit is wanted here: a round only while its trial is not done."""
    if (folder / unit).exists():
        return False
    trial = trial_of(unit)
    done = trial in trials or (folder / "trials" / trial).exists()
    return not (unit.startswith(ROUNDS) and done)


def _follows(unit: str, folder: Path, fetched: list[str]) -> bool:
    """Whether nothing is missing before a round, as where its place was lost while it was sent."""
    trial, _, number = unit.rpartition("/")
    if not unit.startswith(ROUNDS) or int(number) == 0:
        return True
    before = f"{trial}/{int(number) - 1:06d}"
    return before in fetched[-1:] or (folder / before).exists()


def _visible(name: str) -> bool:
    """What others may be surprised to find; not a lease, a probe, or a half of something."""
    return not name.rpartition("/")[2].startswith(".") or name.endswith("/.continuation.npz")
