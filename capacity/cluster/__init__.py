"""Trials spread over Ray Tune; the only importer of ray.

A trial is one population. Workers live as long as the sweep and keep what they compiled; the driver
alone writes rows, which reach it through Ray's object store.
"""

from capacity.cluster.asking import Asked
from capacity.cluster.connection import ClusterError, connected
from capacity.cluster.dashboard import Dashboard
from capacity.cluster.driver import run

__all__ = ["Asked", "ClusterError", "Dashboard", "connected", "run"]
