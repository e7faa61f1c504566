"""What unfinished trials have reported, outcome by outcome, so that no finished round is lost."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from capacity.files import PARTIAL, remove_folder, write_folder, writing
from capacity.rows import TABLES
from capacity.tables import Rows, StoreError, parquet_bytes, parsed_parquet
from capacity.tables import table as table_of

_CONTINUATION, _SETTINGS = ".continuation.npz", "settings.json"


class Kept(NamedTuple):
    """Of the outcomes of a trial in order: the union of their tables, and all files."""

    tables: dict[str, pa.Table]
    files: dict[str, bytes]


class Rounds:
    """A folder with a folder for each unfinished trial, and in it one for each of its outcomes."""

    def __init__(self, folder: Path):
        self._folder = folder

    def keep(
        self,
        trial: str,
        behind: int,
        settings: Mapping[str, Any],
        *,
        tables: Mapping[str, Rows],
        files: Mapping[str, bytes],
        continuation: bytes | None,
    ) -> None:
        """Keeps the outcome that has `behind` others behind it, and forgets what came after.

        Args:
          settings: what decides the trial's rows.
          tables: those that have rows.
          continuation: behind this outcome; only the latest of a trial stays.

        Raises:
          StoreError: the disk is full or unwritable; nothing of the outcome is kept.
        """
        folder = self._folder / trial
        contents = {f"{k}.parquet": parquet_bytes(table_of(k, r)) for k, r in tables.items()}
        contents |= {_SETTINGS: _text(settings), **files}
        if continuation is not None:
            contents[_CONTINUATION] = continuation
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for place in reversed(self._outcomes(trial)[behind:]):
                remove_folder(place)
            write_folder(folder / f"{behind:06d}", contents)
            if continuation is not None:  # The earlier ones are not needed any more.
                for other in self._outcomes(trial)[:-1]:
                    (other / _CONTINUATION).unlink(missing_ok=True)

    def begun(self) -> set[str]:
        """The trials of which anything is kept."""
        return {place.name for place in self._folder.iterdir()} if self._folder.is_dir() else set()

    def latest(self, trial: str, settings: Mapping[str, Any]) -> bytes | None:
        """The latest continuation of a trial of these settings; None where it begins anew."""
        behind = self.behind(trial, settings)
        if not behind:
            return None
        return (self._folder / trial / f"{behind - 1:06d}" / _CONTINUATION).read_bytes()

    def behind(self, trial: str, settings: Mapping[str, Any]) -> int:
        """Outcomes of a trial of these settings that need not be made again."""
        for place in reversed(self._outcomes(trial)):
            if (place / _SETTINGS).read_bytes() != _text(settings):
                return 0
            if (place / _CONTINUATION).exists():
                return int(place.name) + 1
        return 0

    def take(self, trial: str, behind: int) -> Kept:
        """The first `behind` outcomes of a trial.

        Raises:
          StoreError: one of them is missing or damaged.
        """
        places = self._outcomes(trial)[:behind]
        if [int(place.name) for place in places] != list(range(behind)):
            raise StoreError(f"{self._folder / trial} misses a round: remove the folder and resume")
        tables, files = {}, {}
        for kind in TABLES:
            paths = [path for place in places if (path := place / f"{kind}.parquet").exists()]
            if paths:
                parts = [parsed_parquet(path, path.read_bytes(), kind) for path in paths]
                tables[kind] = pa.concat_tables(parts)
        for place in places:
            own = {path.name: path for path in place.iterdir()}
            for name in own.keys() - {_SETTINGS, _CONTINUATION, *(f"{k}.parquet" for k in TABLES)}:
                files[name] = own[name].read_bytes()
        return Kept(tables, files)

    def drop(self, trial: str) -> None:
        """Forgets a trial."""
        with contextlib.suppress(OSError):
            remove_folder(self._folder / trial)

    def _outcomes(self, trial: str) -> list[Path]:
        folder = self._folder / trial
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return [place for place in found if not place.name.startswith(PARTIAL)]


def _text(settings: Mapping[str, Any]) -> bytes:
    return json.dumps(settings, indent=1).encode()
