"""What an experiment's folder holds: its tables as frames, its provenance, its finished trials."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from capacity.files import PARTIAL, read_bytes
from capacity.rows import TABLES
from capacity.tables import StoreError, empty, parsed_csv, parsed_parquet, schema


class Results(NamedTuple):
    """The tables of an experiment as frames with the dtypes of the schema, and its provenance.

    A table of which the experiment has no rows is empty. `trials` has a row per trial: `trial`,
    then every key of its resolved config, dotted.
    """

    networks: pd.DataFrame
    layers: pd.DataFrame
    curves: pd.DataFrame
    saturation: pd.DataFrame
    codecs: pd.DataFrame
    ledger: pd.DataFrame
    memorised: pd.DataFrame
    capacities: pd.DataFrame
    candidates: pd.DataFrame
    trials: pd.DataFrame
    provenance: dict[str, Any]


def read(folder: str | Path) -> Results:
    """The tables of an experiment.

    Raises:
      StoreError: the folder is no experiment's, or a table is missing, damaged or foreign.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise StoreError(f"{folder}: no such folder")
    known = provenance(folder)
    if known is None:
        raise StoreError(f"{folder} holds no results: it has no provenance.json")

    def table(kind: str) -> pd.DataFrame:
        path = folder / file_name(kind)
        if kind not in known["tables"]:
            return parsed_csv(path, ",".join(schema(kind).names).encode(), kind)
        data = read_bytes(path)
        if path.suffix == ".csv":
            return parsed_csv(path, data, kind)
        return parsed_parquet(path, data, kind).to_pandas()

    trials = folder / "trials.csv"
    return Results(
        **{kind: table(kind) for kind in TABLES},
        trials=parsed_csv(trials, read_bytes(trials), None),
        provenance=known,
    )


def tables(results: Results) -> list[str]:
    """Names of the files beside the report: the tables with rows, the settings, what they mean."""
    kept = [file_name(kind) for kind in TABLES if not getattr(results, kind).empty]
    return [*kept, "trials.csv", "COLUMNS.md"]


def file_name(kind: str) -> str:
    """The file of a table: evaluations are many, and their numbers are for no eye."""
    return f"{kind}.parquet" if kind in ("curves", "saturation") else f"{kind}.csv"


def provenance(folder: Path) -> dict[str, Any] | None:
    """The provenance of the experiment in `folder`; None if nothing is there yet.

    Raises:
      StoreError: the folder is no folder or not ours.
    """
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file: choose another name for the results")
    path = folder / "provenance.json"
    if not path.exists():
        ours = {"trials"} if not finished(folder) else set()
        foreign = [p.name for p in _listed(folder) if p.name not in ours]
        foreign = [name for name in foreign if not name.startswith(PARTIAL)]
        if foreign:
            raise StoreError(
                f"{folder} is not empty ('{min(foreign)}') and holds no results of ours: "
                "choose another name"
            )
        return None
    here = [kind for kind in TABLES if (folder / file_name(kind)).exists()]
    return parsed_provenance(path, read_bytes(path), here)


def parsed_provenance(path: str | Path, data: bytes, here: Sequence[str] = ()) -> dict[str, Any]:
    """What a provenance.json says; of an old one, `here` are the tables.

    Raises:
      StoreError: it is damaged or another program's.
    """
    try:
        found = json.loads(data)
        return {
            "config": dict(found["config"]),
            "runs": [dict(run) for run in found["runs"]],
            "tables": list(found.get("tables", here)),
        }
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} is damaged or not ours: choose another name for the results"
        ) from error


def finished(folder: Path) -> set[str]:
    """The trials that are complete on disk."""
    return {p.name for p in _listed(folder / "trials") if not p.name.startswith(".")}


def tabulated(folder: Path) -> set[str]:
    """The trials in the experiment's tables, whose own folders may be elsewhere."""
    path = folder / "trials.csv"
    if not path.exists():
        return set()
    return set(parsed_csv(path, read_bytes(path), None)["trial"].astype(str))


def trial_table(folder: Path, trial: str, kind: str) -> pa.Table:
    """The rows of one finished trial, which has a file for each table of which it has any."""
    path = folder / "trials" / trial / f"{kind}.parquet"
    if not path.exists():
        return empty(kind)
    return parsed_parquet(path, read_bytes(path), kind)


def settings(folder: Path, trial: str) -> dict[str, Any]:
    """The resolved config of a finished trial, nested."""
    path = folder / "trials" / trial / "settings.json"
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(
            f"{path} is missing or damaged: remove {path.parent} and resume"
        ) from error


def _listed(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
