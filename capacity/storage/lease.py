"""Who writes to a place: a file there that a live sweep renews, so that two do not mix."""

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from capacity.storage.place import Place
from capacity.tables import StoreError

FILE = ".writer.json"
BEAT_SECONDS = 10.0
LEASE_SECONDS = 30.0  # three beats: without one for so long, a sweep is taken for dead


class Lease:
    """Held from `take` to `release`, unless another sweep takes it from one that slept.

    Attributes:
      lost: what to tell if that happened.
    """

    def __init__(self, place: Place, say: Callable[[str], object]):
        self._place, self._say = place, say
        self._own = {"host": socket.gethostname(), "process": os.getpid(), "id": uuid.uuid4().hex}
        self._beats = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)
        self.lost: str | None = None

    def take(self, now: datetime | None) -> None:
        """Holds it, after waiting whether a sweep that left it without a word is alive.

        Args:
          now: by the clock of the place.

        Raises:
          StoreError: another sweep is alive.
        """
        found = self._read()
        if found is not None and not self._ended(found, now):
            self._say(
                f"{self._place.address} was written by {_who(found)}, which did not say that it "
                f"ended: waiting up to {LEASE_SECONDS:.0f} s to see whether it lives"
            )
            deadline = time.monotonic() + LEASE_SECONDS
            while time.monotonic() < deadline and (seen := self._read()) is not None:
                if seen != found:
                    raise StoreError(self._taken(seen))
                time.sleep(BEAT_SECONDS / 10)
        self._beat()
        if (found := self._read()) and found["id"] != self._own["id"]:
            raise StoreError(self._taken(found))
        self._thread.start()

    def release(self) -> None:
        """Lets others in at once."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(BEAT_SECONDS)
            if self.lost is None and not self._thread.is_alive():
                self._place.delete(FILE)

    def _renew(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            try:
                found = self._read()
                if found is not None and found["id"] != self._own["id"]:
                    self.lost = self._taken(found)
                    return
                self._beat()
            except StoreError:
                continue  # Whoever keeps results there has the same to tell.

    def _beat(self) -> None:
        self._beats += 1
        self._place.put(FILE, json.dumps(self._own | {"beats": self._beats}).encode())

    def _read(self) -> dict[str, Any] | None:
        try:
            found = json.loads(self._place.get(FILE) or b"null")
            return found and {**dict.fromkeys(("host", "process", "id"), "?"), **found}
        except (ValueError, TypeError):
            return None

    def _ended(self, found: dict[str, Any], now: datetime | None) -> bool:
        """Without waiting: if it was of this machine, or was renewed long ago."""
        if found["host"] == self._own["host"] and isinstance(found["process"], int):
            return found["process"] == self._own["process"] or not _runs(found["process"])
        renewed = self._place.changed(FILE)
        if now is None or renewed is None:
            return False
        return (now - renewed).total_seconds() > LEASE_SECONDS

    def _taken(self, found: dict[str, Any]) -> str:
        return f"{self._place.address} is being written by another sweep, {_who(found)}"


def _who(found: dict[str, Any]) -> str:
    return f"process {found['process']} on {found['host']}"


def _runs(process: int) -> bool:
    if os.name != "posix":  # elsewhere to ask is to interrupt
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
