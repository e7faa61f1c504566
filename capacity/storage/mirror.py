"""An experiment's folder kept elsewhere while it is written, by a thread: no trial waits for it."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from capacity.storage.lease import Lease
from capacity.storage.place import Place
from capacity.storage.units import ROUNDS, WHOLE, Unit, loose, named, of_folder, of_round, trial_of
from capacity.tables import StoreError

EVERY_SECONDS = 3.0  # between two looks at the folder: what a lost machine costs at most
MOST_SECONDS = 60.0  # between two attempts while the place is away
SENDERS = 8  # a put to an object store is a wait of 50 ms
ATTEMPTS = 3  # at the end
TORN = Unit(-1, frozenset())


class Mirror:
    """Compares what is there with what is here, again and again, and sends the difference.

    Nothing here is ever changed. Whatever fails is told once and sent again, as it is by then.
    """

    def __init__(
        self,
        folder: Path,
        place: Place,
        lease: Lease,
        there: Mapping[str, int],
        say: Callable[[str], object],
    ):
        """Begins; `there` are the files of the place, with their sizes."""
        self._folder, self._place, self._lease, self._say = folder, place, lease, say
        here = of_folder(folder)
        self._units = {
            name: Unit(here[name].stamp, files) if name in here and WHOLE in files else TORN
            for name, files in named(there).items()
        }
        self._loose: dict[str, tuple[int, int]] = {}
        self._look = 0.0  # seconds that the last one took
        self._trouble: str | None = None
        self._stop, self._away = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> bool:
        """Whether all is there in the end; what is not is told."""
        self._stop.set()
        self._thread.join()
        for attempt in range(ATTEMPTS):
            try:
                time.sleep(attempt)
                self.send()
                return True
            except (StoreError, OSError) as error:
                self._trouble = str(error)
        self._say(
            f"{self._trouble}: some results are in {self._folder} alone; the same command with "
            "--resume sends them"
        )
        return False

    def send(self) -> None:
        """Makes the place as the folder is.

        Raises:
          StoreError: it cannot be written, or another sweep has it.
        """
        if self._lease.lost is not None:
            raise StoreError(self._lease.lost)
        began = time.monotonic()
        files, units = loose(self._folder), of_folder(self._folder)
        changed = [name for name, stamp in files.items() if self._loose.get(name) != stamp]
        new = [name for name, unit in units.items() if not self._known(name).holds(unit)]
        self._look = time.monotonic() - began
        # Nothing is there without its provenance, and no round goes before its trial has come.
        if "provenance.json" in changed:
            self._put_loose("provenance.json", files)
        self._each(self._put_unit, new)
        self._each(lambda name: self._put_loose(name, files), changed)
        gone = [name for name in self._units if name.startswith(ROUNDS) and name not in units]
        self._each(self._drop_unit, gone)
        for name, unit in units.items():
            for file in self._known(name).files - unit.files if name.startswith(ROUNDS) else ():
                self._place.delete(f"{name}/{file}")
                self._units[name] = unit

    def _known(self, name: str) -> Unit:
        return self._units.get(name, TORN)

    def _each(self, what: Callable[[str], None], names: Iterable[str]) -> None:
        """Many at a time; the first that fails ends all, as others would wait for the same."""
        self._away.clear()

        def unless_away(name: str) -> None:
            if not self._away.is_set():
                try:
                    what(name)
                except BaseException:
                    self._away.set()
                    raise

        if names := list(names):
            with ThreadPoolExecutor(SENDERS) as pool:
                list(pool.map(unless_away, names))

    def _put_loose(self, name: str, files: Mapping[str, tuple[int, int]]) -> None:
        if self._loose.get(name) != files[name]:
            with suppress(FileNotFoundError):  # of a figure that is not drawn any more
                data = (self._folder / name).read_bytes()
                self._place.put(name, data)
                self._loose[name] = files[name]

    def _put_unit(self, name: str) -> None:
        place = self._folder / name
        before = of_round(place)
        if before is None:  # It has gone since; the next look will tell.
            return
        if name in self._units:
            self._place.delete(f"{name}/{WHOLE}")
        self._units[name] = TORN
        try:
            for file in sorted(before.files - {WHOLE}):
                self._place.put(f"{name}/{file}", (place / file).read_bytes())
            last = (place / WHOLE).read_bytes()
        except FileNotFoundError:
            return
        if of_round(place) == before:
            self._place.put(f"{name}/{WHOLE}", last)
            self._units[name] = before if name.startswith(ROUNDS) else Unit(0, before.files)

    def _drop_unit(self, name: str) -> None:
        self._place.delete(f"{name}/{WHOLE}")
        rounds = f"{ROUNDS}{trial_of(name)}"
        self._place.delete(name if (self._folder / rounds).exists() else rounds, folder=True)
        self._units.pop(name)

    def _run(self) -> None:
        pause = EVERY_SECONDS
        while not self._stop.wait(pause):
            try:
                self.send()
            except (StoreError, OSError) as error:
                if self._lease.lost is not None:
                    self._say(f"{self._lease.lost}: nothing more is kept there")
                    return
                if self._trouble is None:
                    self._say(f"{error}: results are safe in {self._folder}, and are sent again")
                self._trouble, pause = str(error), min(2 * pause, MOST_SECONDS)
            else:
                if self._trouble is not None:
                    self._say(f"{self._place.address} is written again, all of it")
                self._trouble, pause = None, max(EVERY_SECONDS, 100 * self._look)
