"""Trials spread over Ray Tune; the only importer of ray.

A trial is one population. Workers live as long as the sweep and keep what they compiled; the driver
alone writes rows, which reach it through Ray's object store.
"""

from capacity.cluster.asking import Asked
from capacity.cluster.connection import ClusterError, connected, room
from capacity.cluster.dashboard import Dashboard
from capacity.cluster.driver import STOPPED, run

__all__ = ["STOPPED", "Asked", "ClusterError", "Dashboard", "connected", "room", "run"]
