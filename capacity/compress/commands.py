"""What `python -m capacity.compress` does, as functions of paths."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from capacity import checkpoints, coding
from capacity.checkpoints import Checkpoint
from capacity.coding.codecs import Effort
from capacity.coding.errors import OneSentence, printable
from capacity.coding.file import WEIGHT_LIMIT
from capacity.coding.recipe import Prepared, Recipe, quantisable
from capacity.compress import comparison, listing


class CompressError(OneSentence):
    """A command that cannot be carried out, in one sentence for the user."""


def encode(
    source: str, target: str, recipe: Recipe, *, effort: Effort, force: bool, limit: int
) -> None:
    """Writes the compressed file of a checkpoint and prints its size."""
    _refuse_to_replace(target, force)
    tensors = _checkpoint(source, limit).tensors
    with _bar("encoding", (w.size for w in tensors.values())) as told:
        data = coding.encode(Prepared(tensors, recipe), effort=effort, progress=told)
    _write(target, data)
    weights, raw = _counted(tensors)
    print(f"{target}: {listing.total(raw, len(data), weights)}")


def decode(source: str, target: str, *, only: list[str] | None, force: bool, limit: int) -> None:
    """Writes the tensors of a compressed file, or those that are named, as .npz or .safetensors."""
    file_of = checkpoints.writer(Path(target))
    _refuse_to_replace(target, force)
    tensors = _decoded(source, _compressed(source), limit, only)
    _write(target, file_of(tensors))
    print(f"{target}: {len(tensors)} tensors, {_counted(tensors)[0]:,} weights")


def inspect(source: str, *, limit: int) -> None:
    """Prints the tensors of a compressed file."""
    data = _compressed(source)
    tensors = _decoded(source, data, limit)
    zeros = listing.count_zeros(tensors)
    _console().print(listing.tensors(coding.entries(data), coding.coded_bytes(data), zeros))
    weights, raw = _counted(tensors)
    empty = listing.percent(sum(zeros.values()), weights)
    print(
        f"{len(tensors)} tensors, {weights:,} weights, {empty} zeros; "
        + listing.total(raw, len(data), weights)
    )


def compare(source: str, recipe: Recipe, *, limit: int) -> None:
    """Prints what every codec and every baseline makes of one checkpoint."""
    tensors = {}
    for name, weights in _checkpoint(source, limit).tensors.items():
        if quantisable(weights):
            tensors[name] = weights
        else:
            _note(f"left out: {name} ({weights.dtype} stays as it is)")
    if not _counted(tensors)[0]:
        raise CompressError(f"{source} holds no weights that could be quantised")
    prepared = Prepared(tensors, recipe)
    symbols = {}
    with _bar("quantising", (w.size for w in tensors.values())) as told:
        for name, leaf in prepared.items():
            symbols[name] = leaf
            told(name, tensors[name].size)
    rows, measured = comparison.rows(tensors, symbols), []
    with _bar("comparing", (1 for _ in rows)) as told:
        for row in rows:
            told(row.name, 0)
            measured.append((row, row.measured()))
            told(row.name, 1)
    weights, raw = _counted(tensors)
    _console().print(listing.codecs(measured, raw, weights))
    print(
        f"{len(tensors)} tensors, {weights:,} weights, {raw:,} bytes; every line was decoded and "
        "compared, and only a file counts names and shapes"
    )


def _checkpoint(source: str, limit: int) -> Checkpoint:
    checkpoint = checkpoints.read(source, weight_limit=limit)
    for name, reason in checkpoint.left_out.items():
        _note(f"left out: {name} ({reason})")
    return checkpoint


def _compressed(source: str) -> bytes:
    path = Path(source)
    if path.is_dir():
        raise CompressError(f"{path} is a folder: name a compressed file")
    return checkpoints.contents(path)


def _decoded(
    source: str, data: bytes, limit: int = WEIGHT_LIMIT, only: list[str] | None = None
) -> dict[str, np.ndarray]:
    try:
        sizes = {entry.name: entry.size for entry in coding.entries(data)}
        wanted = only or list(sizes)
        if odd := [name for name in wanted if name not in sizes]:
            raise CompressError(f"{source}: no tensor '{odd[0]}' in it; inspect lists them")
        with _bar("decoding", (sizes[name] for name in wanted)) as told:
            return coding.decode(data, weight_limit=limit, names=wanted, progress=told)
    except coding.CorruptFile as error:
        raise coding.CorruptFile(f"{source}: {error}") from error


def _refuse_to_replace(target: str, force: bool) -> None:
    """Before any work is done."""
    path = Path(target)
    if path.is_dir():
        raise CompressError(f"{path} is a folder: name a file")
    if path.exists() and not force:
        raise CompressError(f"{path} is there already: add --force to write over it")


def _write(target: str, data: bytes) -> None:
    from capacity.files import write  # noqa: PLC0415 - a second that most mistakes need not wait

    write(target, data)


def _counted(tensors: Mapping[str, np.ndarray]) -> tuple[int, int]:
    """Weights and bytes."""
    return sum(w.size for w in tensors.values()), sum(w.nbytes for w in tensors.values())


@contextmanager
def _bar(title: str, sizes: Iterable[int]) -> Iterator[Callable[[str, int], None]]:
    """A bar on a terminal, gone in the end; it is told of each part's name and size."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:3.0f} %  {task.fields[name]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        task = bars.add_task(title, total=sum(sizes), name="")
        yield lambda name, size: bars.update(task, advance=size, name=printable(name))


def _console() -> Console:
    """Tables as wide as they need to be where no terminal is."""
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False)


def _note(text: str) -> None:
    print(printable(text), file=sys.stderr)
