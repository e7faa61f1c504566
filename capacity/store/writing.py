"""An experiment's results folder in the hands of the one process that writes it."""

import itertools
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from capacity import provenance as provenance_of
from capacity.files import PARTIAL, locked, whole, write, write_folder, writing
from capacity.names import natural
from capacity.rows import TABLES, reference
from capacity.store import reading
from capacity.store.identity import flat, same
from capacity.store.rounds import Kept, Rounds
from capacity.tables import (
    Rows,
    StoreError,
    csv_parts,
    csv_text,
    parquet_bytes,
    parquet_parts,
    united,
)
from capacity.tables import table as table_of


class Store:
    """The results folder of one experiment, held for writing; see `Store.open`."""

    def __init__(self, folder: Path, provenance: dict[str, Any]):
        self.folder = folder
        self.provenance = provenance
        self._trials = folder / "trials"
        self.rounds = Rounds(self._trials / ".rounds")
        self._began = time.monotonic()
        with writing(folder):
            self._trials.mkdir(parents=True, exist_ok=True)
            self._lock = locked(self._trials / ".lock", folder)
            for place in (folder, self._trials, self._trials / ".rounds"):
                for leftover in place.glob(f"{PARTIAL}*"):
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
        new = {"config": config, "runs": [], "tables": []}
        provenance = reading.provenance(folder) or new
        same(folder, provenance["config"], config)
        if lost := reading.tabulated(folder) - reading.finished(folder):
            raise StoreError(
                f"{folder} has tables but not the trials behind them ('{min(lost)}' is not in "
                f"{folder / 'trials'}): choose another name, as name=mine"
            )
        if reading.finished(folder) and not resume:
            raise StoreError(
                f"{folder} holds results of this experiment already: "
                "add --resume to carry on, or choose another name"
            )
        provenance["runs"].append(provenance_of.of_run(device))
        return cls(folder, provenance)

    def finished(self) -> set[str]:
        """The ids of the trials that are complete on disk."""
        return reading.finished(self.folder)

    def rows(self, trial: str, kind: str) -> list[dict[str, Any]]:
        """The rows of one finished trial, by the names of their columns."""
        return reading.trial_table(self.folder, trial, kind).to_pylist()

    def file(self, trial: str, name: str) -> bytes | None:
        """A file that a finished trial left; None if it has none of this name."""
        path = self._trials / trial / name
        return path.read_bytes() if path.is_file() else None

    def write_trial(
        self,
        trial: str,
        settings: Mapping[str, Any],
        *,
        files: Mapping[str, bytes],
        before: Kept | None = None,
        **tables: Rows,
    ) -> None:
        """Keep a finished trial: all of it or, if this is interrupted, nothing.

        Args:
          trial: readable id, and the name of the trial's folder.
          settings: the trial's resolved config, nested.
          files: bytes by file name, such as `s0-r3.cap`.
          before: what of it was kept outcome by outcome; is forgotten then.
          tables: by the name of a table, its rows, or columns of equal length by name; those
            without any are left out.

        Raises:
          StoreError: the trial is there already, or the disk is full or unwritable.
          TypeError, ValueError: a row or a name that the schema does not allow.
        """
        for name in (trial, *files):
            if not re.fullmatch(r"[\w=+,@~%-][\w=+,.@~%-]{0,199}", name):
                raise ValueError(f"'{name}' cannot be the name of a file")
        if unknown := sorted(tables.keys() - TABLES.keys()):
            raise TypeError(f"'{unknown[0]}' is no table of the schema")
        earlier = before or Kept({}, {})
        files = {**earlier.files, **files}
        contents = {}
        for kind in TABLES:
            parts = [earlier.tables[kind]] if kind in earlier.tables else []
            if len(rows := tables.get(kind, [])):
                parts.append(table_of(kind, rows))
            if parts:
                contents[f"{kind}.parquet"] = parquet_bytes(united(kind, parts))
        contents["settings.json"] = json.dumps(settings, indent=1).encode()
        if taken := sorted(contents.keys() & files.keys()):
            raise ValueError(f"'{taken[0]}' is the name of one of the trial's own files")
        place = self._trials / trial
        if place.exists():
            raise StoreError(f"{place} is there already, and nothing is written over")
        write_folder(place, {**contents, **files})
        self.rounds.drop(trial)

    def write_tables(self) -> None:
        """Write the union of all finished trials, a file for each table that has rows.

        The same trials always give the same bytes. One trial after the other is read and written,
        so that it takes no more memory for many of them.
        """
        trials = sorted(self.finished(), key=natural)
        written = []
        for kind in TABLES:
            parts = (reading.trial_table(self.folder, trial, kind) for trial in trials)
            filled = (part for part in parts if len(part))
            if (first := next(filled, None)) is None:
                continue
            file = self.folder / reading.file_name(kind)
            write_parts = csv_parts if file.suffix == ".csv" else parquet_parts
            with whole(file) as out:
                write_parts(out, itertools.chain([first], filled))
            written.append(kind)
        self.provenance["tables"] = written
        self._write_provenance()
        self._write_settings(trials)
        write(self.folder / "COLUMNS.md", reference())

    def _write_settings(self, trials: Sequence[str]) -> None:
        def settings() -> Iterator[dict[str, Any]]:
            return (flat(reading.settings(self.folder, trial)) for trial in trials)

        keys = list(dict.fromkeys(key for own in settings() for key in own))
        with whole(self.folder / "trials.csv") as out:
            out.write(csv_text([["trial", *keys]]))
            for trial, own in zip(trials, settings(), strict=True):
                out.write(csv_text([[trial, *map(own.get, keys)]]))

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
