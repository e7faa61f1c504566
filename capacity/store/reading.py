"""What an experiment's folder holds: its tables as frames, its provenance, its finished trials."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from capacity.files import PARTIAL, read_bytes
from capacity.tables import StoreError, parsed_csv, parsed_parquet, schema


class Results(NamedTuple):
    """The tables of an experiment as frames with the dtypes of the schema, and its provenance.

    `trials` has a row per trial: `trial`, then every key of its resolved config, dotted.
    `memorised` and `capacities` are empty where no trial memorises.
    """

    networks: pd.DataFrame
    layers: pd.DataFrame
    curves: pd.DataFrame
    codecs: pd.DataFrame
    trials: pd.DataFrame
    memorised: pd.DataFrame
    capacities: pd.DataFrame
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

    def csv(kind: str, described: str | None) -> pd.DataFrame:
        return parsed_csv(folder / f"{kind}.csv", read_bytes(folder / f"{kind}.csv"), described)

    def capacity_csv(kind: str) -> pd.DataFrame:
        if (folder / f"{kind}.csv").exists():
            return csv(kind, kind)
        return parsed_csv(folder, ",".join(schema(kind).names).encode(), kind)

    curves = folder / "curves.parquet"
    return Results(
        networks=csv("networks", "networks"),
        layers=csv("layers", "layers"),
        curves=parsed_parquet(curves, read_bytes(curves), "curves").to_pandas(),
        codecs=csv("codecs", "codecs"),
        trials=csv("trials", None),
        memorised=capacity_csv("memorised"),
        capacities=capacity_csv("capacities"),
        provenance=known,
    )


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
    try:
        found = json.loads(read_bytes(path))
        return {"config": dict(found["config"]), "runs": list(found["runs"])}
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
    """The rows of one finished trial."""
    path = folder / "trials" / trial / f"{kind}.parquet"
    return parsed_parquet(path, read_bytes(path), kind)


def capacity_table(folder: Path, trial: str, kind: str) -> pa.Table | None:
    """The rows of one finished trial that memorised; None of another."""
    if not (folder / "trials" / trial / f"{kind}.parquet").exists():
        return None
    return trial_table(folder, trial, kind)


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
