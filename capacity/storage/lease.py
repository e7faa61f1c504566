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
SETTLE_SECONDS = 1.0  # for another that began at the same moment: the last to write has it


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
        if found is not None and not self._ended(now):
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
        time.sleep(SETTLE_SECONDS)
        found = self._read()
        if found is None or found["id"] != self._own["id"]:
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
                if found is None or found["id"] != self._own["id"]:
                    self.lost = self._taken(found)
                    return
                self._beat()
            except Exception:
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

    def _ended(self, now: datetime | None) -> bool:
        """Without waiting: if it was renewed long ago."""
        renewed = self._place.changed(FILE)
        if now is None or renewed is None:
            return False
        return (now - renewed).total_seconds() > LEASE_SECONDS

    def _taken(self, found: dict[str, Any] | None) -> str:
        if found is None:
            return f"{self._place.address} was taken by another sweep, which has ended"
        return f"{self._place.address} is being written by another sweep, {_who(found)}"


def _who(found: dict[str, Any]) -> str:
    return f"process {found['process']} on {found['host']}"
