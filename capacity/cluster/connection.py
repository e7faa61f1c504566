"""A running Ray: a cluster that is joined, or one of this machine alone."""

import contextlib
import logging
import os
import re
import socket
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import AuthenticationError

from capacity.cluster.dashboard import Dashboard
from capacity.config import Resources


class ClusterError(ConnectionError):
    """A cluster that cannot be reached, or cannot hold the trials, in one sentence."""


@contextlib.contextmanager
def connected(
    address: str | None, resources: Resources, variables: Mapping[str, str]
) -> Iterator[Dashboard]:
    """A running Ray: the cluster at `address`, or one of this machine alone; gives its dashboard.

    A cluster that we start ends with the block. It listens on loopback only where the environment
    says so before ray is imported, as `capacity.sweep` sees to.

    Raises:
      ClusterError: nothing answers at `address`, its Ray or Python is of another version, or no
        node has the resources of one trial.
    """
    _answers(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray runs workers at the lowest priority: pinned to a busy core, they would starve.
    os.environ.setdefault("RAY_worker_niceness", "0")
    # An interrupt is ours to report: Tune's own handler would end the sweep as if it were done.
    os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # The dashboard's task of a trial fails with it, which the sweep has told already.
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")  # which would print in any case
    if address is None:
        # Workers inherit this process's environment; a runtime environment would start them twice.
        where: dict[str, Any] = {"include_dashboard": True, "dashboard_host": "127.0.0.1"}
        os.environ.update(variables)
    else:
        where = {"runtime_env": {"env_vars": dict(variables)}}
    try:
        with warnings.catch_warnings():
            # JAX warns of every fork; each of Ray's becomes another program at once.
            warnings.filterwarnings("ignore", r"os\.fork\(\) was called", RuntimeWarning)
            context = ray.init(
                address=address or "local",
                logging_level=logging.ERROR,
                log_to_driver=False,
                **where,
            )
    except AuthenticationError:
        raise ClusterError(
            f"--address {address}: the cluster wants its token, in RAY_AUTH_TOKEN or "
            "~/.ray/auth_token"
        ) from None
    except (ConnectionError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())
        if address is None:
            raise ClusterError(f"no Ray could be started: {said}; --local does without") from None
        if other := _other_versions(said):
            raise ClusterError(f"--address {address}: {other}") from None
        raise ClusterError(
            f"--address {address}: {said}; if the cluster has a token, set RAY_AUTH_MODE=token and "
            "RAY_AUTH_TOKEN"
        ) from None
    try:
        _holds(resources)
        session = getattr(context, "address_info", {}).get("session_dir", "")
        yield Dashboard(context.dashboard_url or "", Path(session) / "logs")
    finally:
        ray.shutdown()


def room(resources: Resources) -> int:
    """How many trials of these resources run at once on the connected cluster, at least one."""
    found = 0
    for node in (node["Resources"] for node in ray.nodes() if node["Alive"]):
        counts = [node.get("CPU", 0) / resources.cpus]
        if resources.gpus:
            counts.append(node.get("GPU", 0) / resources.gpus)
        found += int(min(counts))
    return max(1, found)


def _answers(address: str | None) -> None:
    """Refuses an address at which nothing listens, at once: Ray itself tries for minutes."""
    if address is None or address in ("auto", "local"):
        return
    if address.startswith("ray://"):
        raise ClusterError(
            f"--address {address}: a Ray client cannot hand rows to this process; "
            "run on a node of the cluster with host:6379, or by `ray job submit`"
        )
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=5):
            pass
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"--address {address}: nothing answers there ({error}); start a cluster with "
            "`ray start --head`, or leave --address out to use this machine"
        ) from None


def _other_versions(said: str) -> str:
    """In a sentence, that the cluster's Ray or Python is another, if that is what Ray `said`."""
    found = re.findall(r"Ray: (\S+)\s+Python: ([^\s;]+)", said)
    if "Version mismatch" not in said or len(found) != 2:
        return ""
    theirs, ours = (f"Ray {ray_} and Python {python}" for ray_, python in found)
    return (
        f"the cluster has {theirs}, this process has {ours}: all nodes need the same, as by "
        "`pip install -c constraints.txt -e .` in one version of Python"
    )


def _holds(resources: Resources) -> None:
    cpus, gpus = resources.cpus, resources.gpus
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(n.get("CPU", 0) >= cpus and n.get("GPU", 0) >= gpus for n in nodes):
        raise ClusterError(
            f"resources.cpus = {cpus:g}, resources.gpus = {gpus:g}: no node has that much"
        )
