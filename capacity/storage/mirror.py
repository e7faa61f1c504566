"""An experiment's folder kept elsewhere while it is written, by a thread: no trial waits for it."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

from capacity.storage.lease import Lease
from capacity.storage.place import Place
from capacity.storage.units import ROUNDS, WHOLE, Unit, loose, named, of_folder, of_round, trial_of
from capacity.tables import StoreError

EVERY_SECONDS = 3.0  # between two looks at the folder: what a lost machine costs at most
MOST_SECONDS = 60.0  # between two attempts while the place is away
ATTEMPTS = 3  # at the end
PATIENCE_SECONDS = 60.0  # then, with a disk that hangs: for one more file
SENDERS = 8  # a put to an object store is a wait of 50 ms
TORN = -1  # the stamp of a unit of which some files are there


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
            name: Unit(here[name].stamp if name in here and WHOLE in files else TORN, files)
            for name, files in named(there).items()
        }
        self._loose: dict[str, tuple[int, int]] = {}
        self._look = 0.0  # seconds that the last one took
        self._steps = 0  # puts, parts of large ones and deletes that were done
        self._trouble: str | None = None
        self._complete = False  # after the end
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> bool:
        """Whether all is there in the end; what is not is told."""
        self._stop.set()
        steps = -1
        while self._thread.is_alive() and self._steps > steps:
            steps = self._steps
            self._thread.join(PATIENCE_SECONDS)
        if self._thread.is_alive():
            self._trouble = f"{self._place.address} has not answered for {PATIENCE_SECONDS:.0f} s"
        elif self._trouble is None and not self._complete:
            self._trouble = f"{self._place.address} was not written to the end"
        if self._trouble is not None:
            self._tell(
                f"{self._trouble}: some results are in {self._folder} alone; the same command "
                "with --resume sends them"
            )
        return self._trouble is None

    def send(self) -> None:
        """Makes the place as the folder is.

        Raises:
          StoreError: it cannot be written, or another sweep has it.
        """
        self._still_ours()
        began = time.monotonic()
        files, units = loose(self._folder), of_folder(self._folder)
        changed = [name for name, stamp in files.items() if self._loose.get(name) != stamp]
        new = [name for name, unit in units.items() if not self._known(name).holds(unit)]
        self._look = time.monotonic() - began
        if "provenance.json" not in files:
            raise StoreError(f"{self._folder}/provenance.json is gone: nothing is changed there")
        # Nothing is there without its provenance, and no round goes before its trial has come.
        if "provenance.json" in changed:
            self._put_loose("provenance.json", files)
        of_trials: dict[str, list[str]] = {}  # rounds in order: one counts after those before it
        for name in new:
            of_trials.setdefault(trial_of(name), []).append(name)
        each(self._put_units, of_trials.values())
        each(lambda name: self._put_loose(name, files), changed)
        # What went on during the look is not there as it was seen: until the next look, the last
        # continuation there is that of an earlier round.
        waiting = {trial_of(name) for name in new if not self._known(name).holds(units[name])}
        # A trial that is gone here with all of its rounds was not finished, but lost.
        kept = {trial_of(name) for name in units} - waiting
        gone: dict[str, list[str]] = {}
        for name in sorted(self._units, reverse=True):
            if name.startswith(ROUNDS) and name not in units and trial_of(name) in kept:
                gone.setdefault(trial_of(name), []).append(name)
        each(lambda trial: self._drop(trial, gone[trial], f"trials/{trial}" in units), gone)
        for name, unit in units.items():
            if name.startswith(ROUNDS) and trial_of(name) not in waiting:
                for file in self._known(name).files - unit.files:
                    self._delete(f"{name}/{file}")
                self._units[name] = unit

    def _tell(self, sentence: str) -> None:
        with suppress(OSError):  # of a pipe that nobody reads any more
            self._say(sentence)

    def _known(self, name: str) -> Unit:
        return self._units.get(name, Unit(TORN, frozenset()))

    def _put(self, name: str, data: bytes) -> None:
        self._still_ours()
        self._place.put(name, data, self._step)

    def _delete(self, name: str, *, folder: bool = False) -> None:
        self._still_ours()
        self._place.delete(name, folder=folder)
        self._step()

    def _step(self) -> None:
        self._steps += 1

    def _still_ours(self) -> None:
        if self._lease.lost is not None:
            raise StoreError(self._lease.lost)

    def _put_loose(self, name: str, files: Mapping[str, tuple[int, int]]) -> None:
        if self._loose.get(name) != files[name]:
            with suppress(FileNotFoundError):  # of a figure that is not drawn any more
                self._put(name, (self._folder / name).read_bytes())
                self._loose[name] = files[name]

    def _put_units(self, names: list[str]) -> None:
        for name in names:
            if not self._put_unit(name):  # It has gone since; the next look will tell.
                return

    def _put_unit(self, name: str) -> bool:
        place = self._folder / name
        before = of_round(place)
        if before is None:
            return False
        known = self._known(name)
        if name in self._units:
            self._delete(f"{name}/{WHOLE}")
        self._units[name] = Unit(TORN, known.files | before.files)
        try:
            for file in sorted(before.files - {WHOLE}):
                self._put(f"{name}/{file}", (place / file).read_bytes())
            last = (place / WHOLE).read_bytes()
        except FileNotFoundError:
            return False
        after = of_round(place)  # It may have lost its continuation since: what was read is whole.
        if after is None or after.stamp != before.stamp:
            return False
        for file in known.files - before.files:  # of an earlier writing
            self._delete(f"{name}/{file}")
        self._put(f"{name}/{WHOLE}", last)
        self._units[name] = before if name.startswith(ROUNDS) else Unit(0, before.files)
        return True

    def _drop(self, trial: str, rounds: list[str], finished: bool) -> None:
        """Rounds of a trial: those that do not count any more, or all."""
        for name in () if finished else rounds:
            self._delete(f"{name}/{WHOLE}")
            self._delete(name, folder=True)
        if finished:
            self._delete(f"{ROUNDS}{trial}", folder=True)
        for name in rounds:
            del self._units[name]

    def _run(self) -> None:
        pause = EVERY_SECONDS
        while not self._stop.wait(pause):
            if self._sent():
                pause = max(EVERY_SECONDS, 100 * self._look)
            else:
                pause = min(2 * pause, MOST_SECONDS)
        for attempt in range(ATTEMPTS):
            time.sleep(attempt)
            if self._sent() and self._sent(check=True):
                self._complete = True
                return

    def _sent(self, *, check: bool = False) -> bool:
        """Whether all was sent; the first trouble is told, and its end."""
        told = self._trouble is not None
        try:
            if check:
                self._forget_what_is_not_there()
            self.send()
        except Exception as error:  # Whatever it is, it is no reason to lose a sweep.
            self._trouble = str(error)
            if not told and not self._stop.is_set():
                again = ", and are sent again" if self._lease.lost is None else ""
                self._tell(f"{error}: results are safe in {self._folder}{again}")
            return False
        self._trouble = None
        if told and not self._stop.is_set():
            self._tell(f"{self._place.address} is written again, all of it")
        return True

    def _forget_what_is_not_there(self) -> None:
        """So that it is sent again: a listing of the place tells what somebody took away."""
        there = self._place.listed()
        units = named(there)
        torn = [n for n, known in self._units.items() if not units.get(n, set()) >= known.files]
        lost = [n for n, (_, size) in self._loose.items() if there.get(n) != size]
        for name in torn:
            self._units[name] = Unit(TORN, units.get(name, frozenset()))
        for name in lost:
            del self._loose[name]


def each(what: Callable[[Any], None], names: Iterable[Any]) -> None:
    """Many at a time; the first that fails ends all, as others would wait for the same.

    The threads of a pool would be waited for when the process ends, whatever they wait for.
    """
    left, errors = deque(names), list[Exception]()

    def work() -> None:
        while not errors:
            try:
                name = left.popleft()
            except IndexError:
                return
            try:
                what(name)
            except Exception as error:
                errors.append(error)

    threads = [Thread(target=work, daemon=True) for _ in range(min(SENDERS, len(left)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
