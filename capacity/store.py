"""Everything written to results/<experiment>/, and how it is read back; the only writer of results.

    provenance.json    the resolved config and, for each run that added to it, versions and times
    config.yaml        the resolved config
    trials/<trial>/    rows as Parquet, settings.json and compressed files; whole or absent
    networks.csv, layers.csv, curves.parquet, trials.csv, COLUMNS.md    all finished trials together

A trial is written beside its place and renamed into it, so a kill leaves a whole trial or none.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import yaml

from capacity import provenance as provenance_of
from capacity.files import PARTIAL, locked, read_bytes, sync, write, write_durably, writing
from capacity.rows import TABLES, reference
from capacity.tables import (
    Rows,
    StoreError,
    csv_text,
    parquet_bytes,
    parsed_csv,
    parsed_parquet,
    schema,
)
from capacity.tables import (
    table as table_of,
)


class Results(NamedTuple):
    """The tables of an experiment as frames with the dtypes of the schema, and its provenance.

    `trials` has a row per trial: `trial`, then every key of its resolved config, dotted.
    """

    networks: pd.DataFrame
    layers: pd.DataFrame
    curves: pd.DataFrame
    trials: pd.DataFrame
    provenance: dict[str, Any]


class Store:
    """The results folder of one experiment, held for writing by one process; see `Store.open`."""

    def __init__(self, folder: Path, provenance: dict[str, Any]):
        self.folder = folder
        self.provenance = provenance
        self._trials = folder / "trials"
        self._began = time.monotonic()
        with writing(folder):
            self._trials.mkdir(parents=True, exist_ok=True)
            self._lock = locked(self._trials / ".lock", folder)
            for leftover in [*folder.glob(f"{PARTIAL}*"), *self._trials.glob(f"{PARTIAL}*")]:
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        config = yaml.safe_dump(provenance["config"], sort_keys=False, allow_unicode=True)
        self._write_provenance()
        write(folder / "config.yaml", config)

    @classmethod
    def open(
        cls,
        folder: str | Path,
        resolved_config: Mapping[str, Any],
        *,
        resume: bool,
        device: str | None = None,
    ) -> "Store":
        """Start an experiment in a new folder, or carry on with the same one if `resume`.

        Args:
          folder: the experiment's folder; absent or empty, or of the same resolved config.
          resolved_config: what decides the rows, as JSON values; keys that only say where a
            sweep runs (workers, addresses) should be left out, as they would forbid a resume.
          device: the accelerator in words, if known already.

        Raises:
          StoreError: the folder is another experiment's, foreign, in use or cannot be written.
        """
        folder = Path(folder)
        config = json.loads(json.dumps(resolved_config))
        provenance = _existing(folder) or {"config": config, "runs": []}
        if difference := _difference(provenance["config"], config):
            raise StoreError(
                f"{folder} holds another experiment ({difference}): "
                "choose another name, or remove the folder"
            )
        if lost := _tabulated(folder) - _finished(folder):
            raise StoreError(
                f"{folder} has tables but not the trials behind them ('{min(lost)}' is not in "
                f"{folder / 'trials'}): choose another name, as name=mine"
            )
        if _finished(folder) and not resume:
            raise StoreError(
                f"{folder} holds results of this experiment already: "
                "add --resume to carry on, or choose another name"
            )
        provenance["runs"].append(provenance_of.of_run(device))
        return cls(folder, provenance)

    def finished(self) -> set[str]:
        """The ids of the trials that are complete on disk."""
        return _finished(self.folder)

    def write_trial(
        self,
        trial: str,
        settings: Mapping[str, Any],
        *,
        networks: Rows,
        layers: Rows,
        curves: Rows,
        files: Mapping[str, bytes],
    ) -> None:
        """Keep a finished trial: all of it or, if this is interrupted, nothing.

        Args:
          trial: readable id, and the name of the trial's folder.
          settings: the trial's resolved config, nested.
          networks, layers, curves: rows, or columns of equal length by name.
          files: bytes by file name, such as `s0-r3.cap`.

        Raises:
          StoreError: the trial is there already, or the disk is full or unwritable.
          TypeError, ValueError: a row or a name that the schema does not allow.
        """
        for name in (trial, *files):
            if not re.fullmatch(r"[\w=+,@~%-][\w=+,.@~%-]{0,199}", name):
                raise ValueError(f"'{name}' cannot be the name of a file")
        tables = {"networks": networks, "layers": layers, "curves": curves}
        contents = {
            f"{kind}.parquet": parquet_bytes(table_of(kind, rows)) for kind, rows in tables.items()
        }
        contents["settings.json"] = json.dumps(settings, indent=1).encode()
        if taken := sorted(contents.keys() & files.keys()):
            raise ValueError(f"'{taken[0]}' is the name of one of the trial's own files")
        place, partial = self._trials / trial, self._trials / f"{PARTIAL}{trial}"
        if place.exists():
            raise StoreError(f"{place} is there already, and nothing is written over")
        with writing(place):
            partial.mkdir()
            try:
                for name, data in {**contents, **files}.items():
                    write_durably(partial / name, data)
                sync(partial)
                partial.rename(place)
                sync(self._trials)
            except OSError:
                shutil.rmtree(partial, ignore_errors=True)  # give the space back at once
                raise

    def write_tables(self) -> None:
        """Write the union of all finished trials; the same trials always give the same bytes."""
        trials = sorted(self.finished(), key=_natural)
        for kind in TABLES:
            parts = [
                parsed_parquet(
                    self._trials / trial / f"{kind}.parquet",
                    read_bytes(self._trials / trial / f"{kind}.parquet"),
                    kind,
                )
                for trial in trials
            ]
            table = pa.concat_tables([schema(kind).empty_table(), *parts])
            if kind == "curves":
                write(self.folder / "curves.parquet", parquet_bytes(table))
            else:
                rows = zip(*table.to_pydict().values(), strict=True)
                write(self.folder / f"{kind}.csv", csv_text(table.column_names, rows))
        settings = [self._settings(trial) for trial in trials]
        keys = list(dict.fromkeys(key for s in settings for key in s))
        rows = [(t, *map(s.get, keys)) for t, s in zip(trials, settings, strict=True)]
        write(self.folder / "trials.csv", csv_text(["trial", *keys], rows))
        write(self.folder / "COLUMNS.md", reference())

    def finish(self, *, device: str | None = None) -> None:
        """Record the end and wall time of this run and, if given, its device; let the folder go."""
        run = self.provenance["runs"][-1]
        run["finished"] = provenance_of.now()
        run["wall_seconds"] = round(time.monotonic() - self._began, 1)
        run["device"] = device or run["device"]
        self._write_provenance()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _write_provenance(self) -> None:
        write(self.folder / "provenance.json", json.dumps(self.provenance, indent=1) + "\n")

    def _settings(self, trial: str) -> dict[str, Any]:
        path = self._trials / trial / "settings.json"
        try:
            return _flat(json.loads(path.read_text()))
        except (OSError, ValueError) as error:
            raise StoreError(
                f"{path} is missing or damaged: remove {path.parent} and resume"
            ) from error


def read(folder: str | Path) -> Results:
    """The tables of an experiment.

    Raises:
      StoreError: the folder is no experiment's, or a table is missing, damaged or foreign.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise StoreError(f"{folder}: no such folder")
    provenance = _existing(folder)
    if provenance is None:
        raise StoreError(f"{folder} holds no results: it has no provenance.json")
    return Results(
        networks=parsed_csv(
            folder / "networks.csv", read_bytes(folder / "networks.csv"), "networks"
        ),
        layers=parsed_csv(folder / "layers.csv", read_bytes(folder / "layers.csv"), "layers"),
        curves=parsed_parquet(
            folder / "curves.parquet", read_bytes(folder / "curves.parquet"), "curves"
        ).to_pandas(),
        trials=parsed_csv(folder / "trials.csv", read_bytes(folder / "trials.csv"), None),
        provenance=provenance,
    )


def _existing(folder: Path) -> dict[str, Any] | None:
    """The provenance of the experiment in `folder`; None if nothing is there yet."""
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file: choose another name for the results")
    path = folder / "provenance.json"
    if not path.exists():
        ours = {"trials"} if not _finished(folder) else set()
        foreign = [p.name for p in _listed(folder) if p.name not in ours]
        foreign = [name for name in foreign if not name.startswith(PARTIAL)]
        if foreign:
            raise StoreError(
                f"{folder} is not empty ('{min(foreign)}') and holds no results of ours: "
                "choose another name"
            )
        return None
    try:
        provenance = json.loads(read_bytes(path))
        return {"config": dict(provenance["config"]), "runs": list(provenance["runs"])}
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} is damaged or not ours: choose another name for the results"
        ) from error


def _listed(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _finished(folder: Path) -> set[str]:
    return {p.name for p in _listed(folder / "trials") if not p.name.startswith(".")}


def _tabulated(folder: Path) -> set[str]:
    path = folder / "trials.csv"
    return (
        set(parsed_csv(path, read_bytes(path), None)["trial"].astype(str))
        if path.exists()
        else set()
    )


def _difference(there: Mapping, here: Mapping) -> str | None:
    """The first key in which two configs differ, with both values, in words."""
    a, b = _flat(there), _flat(here)
    for key in [*b, *(key for key in a if key not in b)]:
        if key not in a:
            return f"{key} is not set there, {b[key]} here"
        if key not in b:
            return f"{key} = {a[key]} there, not set here"
        if a[key] != b[key]:
            return f"{key} = {a[key]} there, {b[key]} here"
    return None


def _flat(tree: Mapping, prefix: str = "") -> dict[str, Any]:
    """Nested settings with dotted keys; lists, and what is empty, as JSON text."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = (
                json.dumps(value) if isinstance(value, list | tuple | dict) else value
            )
    return flat


def _natural(trial: str) -> tuple[list, str]:
    """A sorting key that puts w16 before w128 and n0.05 before n0.2."""
    parts = re.split(r"(\d+(?:\.\d+)?)", trial)
    return [float(part) if i % 2 else part for i, part in enumerate(parts)], trial
