"""Checkpoints of other programs, and ours, as named arrays; and named arrays as files."""

from capacity.checkpoints.checkpoint import Checkpoint, CheckpointError
from capacity.checkpoints.kinds import contents, read, writer

__all__ = ["Checkpoint", "CheckpointError", "contents", "read", "writer"]
