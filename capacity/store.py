"""Everything written to results/<experiment>/, and how it is read back; the only writer of results.

    provenance.json    the resolved config and, for each run that added to it, versions and times
    config.yaml        the resolved config
    trials/<trial>/    rows as Parquet, settings.json and compressed files; whole or absent
    networks.csv, layers.csv, curves.parquet, trials.csv, COLUMNS.md    all finished trials together

A trial is written beside its place and renamed into it, so a kill leaves a whole trial or none.
"""

import csv
import datetime
import importlib.metadata
import io
import json
import operator
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from capacity import __version__
from capacity.rows import TABLES, Column, Row, columns, reference

try:
    import fcntl
except ImportError:  # Windows has no advisory locks; there, two sweeps in one folder go unnoticed
    fcntl = None

Rows = Sequence[Row] | Mapping[str, Sequence] | pd.DataFrame  # rows, or columns by name
PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "ray", "constriction", "pandas")
PARTIAL = ".partial-"  # prefix of what is being written; swept when the folder is opened
ARROW = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: pa.string()}
TEXT = {pa.string(), pa.large_string()}  # pandas writes the large kind
CAST: dict[type, Callable] = {int: operator.index, float: float, bool: bool, str: str}
PARSE: dict[type, Callable] = {
    int: int,
    float: float,
    bool: {"True": True, "False": False}.__getitem__,
    str: str,
}


class StoreError(Exception):
    """A results folder that cannot be used or written, in one sentence for the user."""


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
        with _writing(folder):
            self._trials.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self._trials / ".lock", folder)
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
        if provenance["runs"] and not resume:
            raise StoreError(
                f"{folder} holds results of this experiment already: "
                "add --resume to carry on, or choose another name"
            )
        if lost := _tabulated(folder) - _finished(folder):
            raise StoreError(
                f"{folder} has tables but not the trials behind them ('{min(lost)}' is not in "
                f"{folder / 'trials'}): choose another name, or remove the folder"
            )
        provenance["runs"].append(_run(device))
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
            f"{kind}.parquet": _parquet(_table(kind, rows)) for kind, rows in tables.items()
        }
        contents["settings.json"] = json.dumps(settings, indent=1).encode()
        if taken := sorted(contents.keys() & files.keys()):
            raise ValueError(f"'{taken[0]}' is the name of one of the trial's own files")
        place, partial = self._trials / trial, self._trials / f"{PARTIAL}{trial}"
        if place.exists():
            raise StoreError(f"{place} is there already, and nothing is written over")
        with _writing(place):
            partial.mkdir()
            try:
                for name, data in {**contents, **files}.items():
                    _write_durably(partial / name, data)
                _sync(partial)
                partial.rename(place)
                _sync(self._trials)
            except OSError:
                shutil.rmtree(partial, ignore_errors=True)  # give the space back at once
                raise

    def write_tables(self) -> None:
        """Write the union of all finished trials; the same trials always give the same bytes."""
        trials = sorted(self.finished(), key=_natural)
        for kind in TABLES:
            parts = [
                _read_parquet(self._trials / trial / f"{kind}.parquet", kind) for trial in trials
            ]
            table = pa.concat_tables([_schema(kind).empty_table(), *parts])
            if kind == "curves":
                write(self.folder / "curves.parquet", _parquet(table))
            else:
                rows = zip(*table.to_pydict().values(), strict=True)
                write(self.folder / f"{kind}.csv", _csv(table.column_names, rows))
        settings = [self._settings(trial) for trial in trials]
        keys = list(dict.fromkeys(key for s in settings for key in s))
        rows = [(t, *map(s.get, keys)) for t, s in zip(trials, settings, strict=True)]
        write(self.folder / "trials.csv", _csv(["trial", *keys], rows))
        write(self.folder / "COLUMNS.md", reference())

    def finish(self, *, device: str | None = None) -> None:
        """Record the end and wall time of this run and, if given, its device; let the folder go."""
        run = self.provenance["runs"][-1]
        run["finished"] = _now()
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


def write(path: str | Path, data: bytes | str) -> None:
    """Write one file whole or not at all, making its folder; a StoreError if that is impossible."""
    path = Path(path)
    partial = path.with_name(f"{PARTIAL}{path.name}")
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_durably(partial, data.encode() if isinstance(data, str) else data)
            partial.replace(path)
            _sync(path.parent)
        except OSError:
            partial.unlink(missing_ok=True)
            raise


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
        networks=_read_csv(folder / "networks.csv", "networks"),
        layers=_read_csv(folder / "layers.csv", "layers"),
        curves=_read_parquet(folder / "curves.parquet", "curves").to_pandas(),
        trials=_read_csv(folder / "trials.csv", None),
        provenance=provenance,
    )


# Writing.


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StoreError(
            f"{path} cannot be written ({reason}); what was finished is safe: mend this and run "
            "the command again, a sweep with --resume"
        ) from error


def _write_durably(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    if os.name == "posix":  # a rename is on disk once its folder is; Windows cannot open folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _locked(path: Path, folder: Path) -> int | None:
    """A descriptor of the file at `path` that keeps other processes out until it is closed.

    A record lock: it ends with the process, and this process may take it again.
    """
    if fcntl is None:
        return None
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.close(descriptor)
        raise StoreError(f"{folder} is being written by another sweep") from None
    except OSError:  # a file system without locks: carry on unprotected
        os.close(descriptor)
        return None
    return descriptor


def _schema(kind: str) -> pa.Schema:
    described = columns(TABLES[kind]).values()
    return pa.schema([pa.field(c.name, ARROW[c.type], c.nullable) for c in described])


def _table(kind: str, rows: Rows) -> pa.Table:
    """Rows, or columns by name, as an Arrow table sorted by what names a row."""
    described = columns(TABLES[kind])
    if hasattr(rows, "keys"):
        given: dict[str, Any] = dict(rows)  # type: ignore
    else:
        given = {name: [getattr(row, name) for row in rows] for name in described}
    if odd := described.keys() ^ given.keys():
        raise TypeError(f"column '{min(odd)}' of {kind} is missing or not in the schema")
    arrays = [_array(kind, c, given[name]) for name, c in described.items()]
    keys = [key for key in ("trial", "seed", "round", "control", "step") if key in described]
    table = pa.Table.from_arrays(arrays, schema=_schema(kind))
    return table.sort_by([(key, "ascending") for key in keys])


def _array(kind: str, c: Column, values: Sequence) -> pa.Array:
    cast = CAST[c.type]
    if not c.nullable and any(value is None for value in values):
        raise TypeError(f"column '{c.name}' of {kind} cannot be empty")
    return pa.array([None if v is None else cast(v) for v in values], ARROW[c.type])


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _csv(header: Sequence[str], rows: Any) -> str:
    """Comma-separated values: empty for None, floats in the shortest digits that round-trip."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


# Reading.


def _read_parquet(path: Path, kind: str) -> pa.Table:
    data = _bytes(path)
    try:
        table = pq.read_table(io.BytesIO(data))
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{path} is damaged: it is no readable Parquet file") from error
    _check_header(path, table.column_names, _schema(kind).names)
    table = table.select(_schema(kind).names)
    for field, wanted in zip(table.schema, _schema(kind), strict=True):
        same = field.type == wanted.type or {field.type, wanted.type} <= TEXT
        if not same or (table[field.name].null_count and not wanted.nullable):
            found = "empty cells" if same else field.type
            raise StoreError(f"{path}: column '{field.name}' holds {found}, not only {wanted.type}")
    return table.cast(_schema(kind))


def _read_csv(path: Path, kind: str | None) -> pd.DataFrame:
    """A table as a frame; without a `kind` the columns' types are those that fit their cells."""
    try:
        header, *lines = csv.reader(io.StringIO(_bytes(path).decode(), newline=""), strict=True)
    except (ValueError, csv.Error) as error:
        raise StoreError(f"{path} is damaged: it is no comma-separated text") from error
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise StoreError(
                f"{path} is damaged: line {number} has {len(line)} cells, not {len(header)}"
            )
    described = columns(TABLES[kind]) if kind else {}
    _check_header(path, header, list(described) if kind else ["trial", *header[1:]])
    cells = {name: [line[i] for line in lines] for i, name in enumerate(header)}
    if not kind:
        trial = pd.Series(cells.pop("trial"), dtype="str")
        settings = {name: _guessed(column) for name, column in cells.items()}
        return pd.DataFrame({"trial": trial, **settings})
    return pd.DataFrame({name: _parsed(path, c, cells[name]) for name, c in described.items()})


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise StoreError(
            f"{path} is missing: carry on the sweep with --resume, which writes it"
        ) from None
    except OSError as error:
        raise StoreError(
            f"{path} cannot be read ({(error.strerror or str(error)).lower()})"
        ) from error


def _check_header(path: Path, found: list[str], wanted: list[str]) -> None:
    if missing := [name for name in wanted if name not in found]:
        raise StoreError(f"{path}: no column '{missing[0]}'; it is no table of this version")
    if unknown := [name for name in found if name not in wanted]:
        raise StoreError(f"{path}: unknown column '{unknown[0]}'; it is no table of this version")
    if len(found) != len(wanted):
        raise StoreError(f"{path}: a column stands there twice")


def _parsed(path: Path, c: Column, cells: list[str]) -> pd.Series:
    values = []
    for number, cell in enumerate(cells, start=2):
        try:
            if cell == "" and not c.nullable and c.type is not str:
                raise ValueError
            values.append(None if cell == "" and c.nullable else PARSE[c.type](cell))
        except (ValueError, KeyError):
            raise StoreError(
                f"{path}: column '{c.name}', line {number}: '{cell}' is no {c.type.__name__}"
            ) from None
    return _series(c.type, c.nullable, values)


def _guessed(cells: list[str]) -> pd.Series:
    """Settings, which no schema knows: the first of int, float, bool and str that fits all."""
    nullable = "" in cells
    for kind in (int, float, bool, str):
        try:
            return _series(kind, nullable, [None if c == "" else PARSE[kind](c) for c in cells])
        except (ValueError, KeyError):
            continue
    raise AssertionError("every cell is a str")


def _series(kind: type, nullable: bool, values: list) -> pd.Series:
    dtype = {int: "Int64", bool: "boolean"}.get(kind) if nullable else {int: "int64"}.get(kind)
    return pd.Series(values, dtype=dtype or {float: "float64", bool: "bool", str: "str"}[kind])


# The folder.


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
        provenance = json.loads(_bytes(path))
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
    return set(_read_csv(path, None)["trial"].astype(str)) if path.exists() else set()


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


# Provenance.


def _run(device: str | None) -> dict[str, Any]:
    return {
        "started": _now(),
        "finished": None,
        "wall_seconds": None,
        "device": device,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {"capacity": __version__, **{name: _version(name) for name in PACKAGES}},
        **_commit(),
    }


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> dict[str, Any]:
    """The commit that this source is of, and whether it was changed since; None if unknown."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(here), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=20
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)  # else it is another repository's
        commit, changed = git("rev-parse", "HEAD"), git("status", "--porcelain", "--", ".")
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}
    return {"commit": commit, "dirty": bool(changed)}
