"""Where a run's results come from: versions, commit, machine and times."""

import datetime
import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

from capacity import __version__

PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "ray", "constriction", "numba", "pandas")


def of_run(device: str | None) -> dict[str, Any]:
    """What a table cannot say of a run that starts now."""
    return {
        "started": now(),
        "finished": None,
        "wall_seconds": None,
        "device": device,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {"capacity": __version__, **{name: _version(name) for name in PACKAGES}},
        **_commit(),
    }


def now() -> str:
    """The time in UTC, to the second."""
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
