"""Checkpoint folders of Orbax, which Flax programs write."""

from pathlib import Path

import numpy as np

from capacity.checkpoints.checkpoint import Checkpoint, CheckpointError, checked_dtype

_TREE = "_METADATA"  # lies in the folder of every saved tree


def read(folder: Path) -> Checkpoint:
    """The arrays of a tree: of the folder itself, of its only item, or of its latest step.

    Raises:
      CheckpointError: no checkpoint, several trees, or a damaged one.
    """
    tree = _tree(folder)
    import jax  # noqa: PLC0415 - three seconds that no other checkpoint needs
    from orbax.checkpoint import PyTreeCheckpointer, RestoreArgs  # noqa: PLC0415

    try:
        with PyTreeCheckpointer() as checkpointer:
            leaves = checkpointer.metadata(tree.absolute()).item_metadata.tree
            numpy = jax.tree.map(lambda _: RestoreArgs(restore_type=np.ndarray), leaves)
            restored = checkpointer.restore(tree.absolute(), restore_args=numpy)
    except Exception as error:  # whatever its readers raise, the folder is what is wrong
        reason = str(error).strip().partition("\n")[0][:200]
        raise CheckpointError(f"{tree} is a damaged checkpoint of Orbax ({reason})") from error
    tensors, left_out = {}, {}
    for keys, leaf in jax.tree_util.tree_flatten_with_path(restored)[0]:
        name = jax.tree_util.keystr(keys, simple=True, separator="/")
        if isinstance(leaf, str):
            left_out[name] = "text"
        else:
            array = np.asarray(leaf)
            checked_dtype(array.dtype, name, tree)
            tensors[name] = array
    return Checkpoint(tensors, left_out)


def _tree(folder: Path) -> Path:
    """The folder of the tree that is meant."""
    if (folder / _TREE).is_file():
        return folder
    steps = [child for child in folder.iterdir() if child.name.isdigit() and child.is_dir()]
    if steps:
        return _tree(max(steps, key=lambda step: int(step.name)))
    items = sorted(child for child in folder.iterdir() if (child / _TREE).is_file())
    if len(items) == 1:
        return items[0]
    if items:
        names = ", ".join(item.name for item in items)
        raise CheckpointError(f"{folder} holds several trees ({names}): name one of these folders")
    raise CheckpointError(f"{folder} is a folder, but no checkpoint of Orbax")
