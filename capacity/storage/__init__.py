"""Results kept a second time, where a lost machine does not take them: `storage_path`.

The driver writes `results/<name>` as ever. A thread of it keeps `<storage_path>/<name>` the same,
by any file system that Arrow knows: provenance, finished trials, rounds of those that are not,
tables and figures, but not the logs of Ray. Files are whole or absent there, too, and so are trials
and rounds, as one file of each comes last. On another machine `--resume` begins by fetching what is
missing.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capacity.tables import StoreError

if TYPE_CHECKING:
    from capacity.storage.mirror import Mirror

__all__ = ["Copy", "copied"]


class Copy:
    """What an experiment's folder has elsewhere; nothing, and nothing missing, without a place.

    Attributes:
      missing: after the end, whether something of the folder is not there.
    """

    def __init__(self, begin: "Callable[[], Mirror] | None" = None):
        self.missing = False
        self._begin, self._mirror = begin, None

    def begin(self) -> None:
        """The folder is ours: from now on it is kept there, too."""
        self._mirror = self._begin() if self._begin else None

    def end(self) -> None:
        """Everything is there, or it is told what is not."""
        self.missing = self._mirror is not None and not self._mirror.close()


@contextlib.contextmanager
def copied(
    address: str | None,
    folder: Path,
    config: Mapping[str, Any],
    *,
    resume: bool,
    say: Callable[[str], object],
) -> Iterator[Copy]:
    """Keeps `folder` below `address`, too, if that is given, after fetching what it has more.

    Args:
      config: what makes two runs the same experiment, as for `Store.open`.

    Raises:
      StoreError: the place cannot be reached, written or read, is another experiment's, holds
        results but is not to be resumed, or is being written by another sweep.
    """
    if address is None:
        yield Copy()
        return
    from capacity.storage.address import reached  # noqa: PLC0415
    from capacity.storage.fetching import fetch  # noqa: PLC0415
    from capacity.storage.lease import Lease  # noqa: PLC0415
    from capacity.storage.mirror import Mirror  # noqa: PLC0415

    place, now = reached(address, folder)
    lease = Lease(place, say)
    lease.take(now)
    try:
        there = fetch(place, folder, config, resume=resume, say=say)

        def begin() -> Mirror:
            say(f"kept in {place.address} too")
            with contextlib.suppress(OSError):
                if place.folder and os.stat(place.folder).st_dev == os.stat(folder).st_dev:
                    say("which is on the same file system: whoever loses that loses both")
            return Mirror(folder, place, lease, there, say)

        copy = Copy(begin)
        try:
            yield copy
        finally:
            copy.end()
    finally:
        with contextlib.suppress(StoreError):
            lease.release()
