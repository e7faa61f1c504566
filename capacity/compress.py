"""python -m capacity.compress: any checkpoint to a compressed file and back, and what it takes."""

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from capacity import comparison, listing
from capacity.checkpoints import Checkpoint, CheckpointError, contents, read, writer
from capacity.coding import (
    CorruptFile,
    Quantised,
    UnquantisableTensor,
    UnstorableTensor,
    coded_bytes,
    decode,
    encode,
    entries,
    error_step,
    kmeans,
    tensor_step,
    uniform,
)
from capacity.coding.codecs import EFFORT
from capacity.coding.dtypes import QUANTISED
from capacity.coding.file import WEIGHT_LIMIT
from capacity.tables import StoreError

RELATIVE_STEP = 0.25  # of the weights' root mean square: an error of 7 % of it
LEVELS = 32  # of a codebook: five bits, as Deep Compression has them for dense layers

Weights = Mapping[str, np.ndarray]
Leaves = dict[str, Quantised | np.ndarray]
Told = Callable[[str, int], None]


class CompressError(Exception):
    """A command that cannot be carried out, in one sentence for the user."""


MISTAKES = (
    CompressError,
    CheckpointError,
    CorruptFile,
    UnquantisableTensor,
    UnstorableTensor,
    StoreError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, 2 for a mistake, 130 if interrupted."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except KeyboardInterrupt:
        print("\ninterrupted; nothing was written", file=sys.stderr)
        return 130
    except MISTAKES as error:
        print(error, file=sys.stderr)
        return 2
    except MemoryError:
        print(f"{options.input} does not fit into the memory of this machine", file=sys.stderr)
        return 2
    return 0


def _encode(options: argparse.Namespace) -> None:
    _free(options)
    tensors = _checkpoint(options).tensors
    with _bar(tensors) as told:
        leaves = _quantised(options, tensors, told("quantising"))
        data = encode(leaves, effort=options.effort, progress=told("encoding"))
    _write(options.output, data)
    weights, raw = _counted(tensors)
    print(f"{options.output}: {listing.total(raw, len(data), weights)}")


def _decode(options: argparse.Namespace) -> None:
    make = writer(Path(options.output))
    _free(options)
    data = _compressed(options)
    with _naming(options.input):
        listed = {entry.name: entry for entry in entries(data)}
        wanted = options.only or list(listed)
        if odd := [name for name in wanted if name not in listed]:
            raise CompressError(f"{options.input}: no tensor '{odd[0]}' in it; inspect lists them")
        with _bar({name: listed[name] for name in wanted}) as told:
            tensors = decode(
                data, weight_limit=options.weights, names=wanted, progress=told("decoding")
            )
    _write(options.output, make(tensors))
    print(f"{options.output}: {len(tensors)} tensors, {_counted(tensors)[0]:,} weights")


def _inspect(options: argparse.Namespace) -> None:
    data = _compressed(options)
    with _naming(options.input):
        listed, sizes = entries(data), coded_bytes(data)
        with _bar({entry.name: entry for entry in listed}) as told:
            tensors = decode(data, weight_limit=options.weights, progress=told("decoding"))
    zeros = listing.count_zeros(tensors)
    _console().print(listing.tensors(listed, sizes, zeros))
    weights, raw = _counted(tensors)
    empty = listing.percent(sum(zeros.values()), weights)
    print(
        f"{len(listed)} tensors, {weights:,} weights, {empty} zeros; "
        + listing.total(raw, len(data), weights)
    )


def _compare(options: argparse.Namespace) -> None:
    tensors = {}
    for name, weights in _checkpoint(options).tensors.items():
        if _quantisable(weights):
            tensors[name] = weights
        else:
            _note(f"left out: {name} ({weights.dtype} stays as it is)")
    if not tensors:
        raise CompressError(f"{options.input} holds no weights that could be quantised")
    with _bar(tensors) as told:
        leaves = _quantised(options, tensors, told("quantising"))
    symbols = {name: leaf for name, leaf in leaves.items() if isinstance(leaf, Quantised)}
    rows, measured = comparison.rows(tensors, symbols), []
    with _bar(range(len(rows))) as told:
        advance = told("comparing")
        for row in rows:
            advance(row.name, 0)
            measured.append((row, row.measured()))
            advance(row.name, 1)
    weights, raw = _counted(tensors)
    _console().print(listing.codecs(measured, raw, weights))
    print(
        f"{len(tensors)} tensors, {weights:,} weights, {raw:,} bytes; every line was decoded and "
        "compared, and only a file counts names and shapes"
    )


def _quantised(options: argparse.Namespace, tensors: Weights, told: Told) -> Leaves:
    """Symbols of what can be quantised; integers, truth values and --lossless stay as they are."""
    leaves: Leaves = {}
    for name, weights in tensors.items():
        if options.lossless or not _quantisable(weights):
            leaves[name] = weights
        elif options.quantiser == "kmeans":
            leaves[name] = kmeans(weights, options.levels, name)
        else:
            leaves[name] = uniform(weights, _step(options, weights, name), name)
        told(name, weights.size)
    return leaves


def _step(options: argparse.Namespace, weights: np.ndarray, name: str) -> float:
    if options.step is not None:
        return options.step
    if options.error is not None:
        return error_step(weights, options.error, name)
    return tensor_step(weights, options.relative_step or RELATIVE_STEP, name)


def _quantisable(weights: np.ndarray) -> bool:
    return weights.dtype.name in (*QUANTISED, "float64")


def _checkpoint(options: argparse.Namespace) -> Checkpoint:
    checkpoint = read(options.input, weight_limit=options.weights)
    for name, reason in checkpoint.left_out.items():
        _note(f"left out: {name} ({reason})")
    return checkpoint


def _compressed(options: argparse.Namespace) -> bytes:
    path = Path(options.input)
    if path.is_dir():
        raise CompressError(f"{path} is a folder: name a compressed file")
    return contents(path)


def _free(options: argparse.Namespace) -> None:
    """Refuses, before any work, to write over what is there."""
    path = Path(options.output)
    if path.is_dir():
        raise CompressError(f"{path} is a folder: name a file")
    if path.exists() and not options.force:
        raise CompressError(f"{path} is there already: add --force to write over it")


def _write(path: str, data: bytes) -> None:
    from capacity.files import write  # noqa: PLC0415

    write(path, data)


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """What is wrong with a file begins with its name."""
    try:
        yield
    except CorruptFile as error:
        raise CorruptFile(f"{path}: {error}") from error


@contextmanager
def _bar(parts) -> Iterator[Callable[[str], Told]]:
    """A bar per phase, on a terminal, that counts the weights of `parts`; gone in the end."""
    total = sum(getattr(part, "size", 1) for part in _values(parts))
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:3.0f} %  {task.fields[name]}"),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:

        def phase(title: str) -> Told:
            task = progress.add_task(title, total=total, name="")
            return lambda name, size: progress.update(task, advance=size, name=name)

        yield phase


def _values(parts):
    return parts.values() if isinstance(parts, Mapping) else parts


def _counted(tensors: Weights) -> tuple[int, int]:
    """Weights and bytes."""
    return sum(w.size for w in tensors.values()), sum(w.nbytes for w in tensors.values())


def _console() -> Console:
    """Tables as wide as they need to be where no terminal is."""
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False)


def _note(text: str) -> None:
    print(text, file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}; --help shows how\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m capacity.compress",
        description="Checkpoints to compressed files and back: .npz, .safetensors, Orbax folders.",
    )
    commands = parser.add_subparsers(required=True, metavar="encode|decode|inspect|compare")
    encoder = commands.add_parser("encode", help="a checkpoint to a compressed file")
    decoder = commands.add_parser("decode", help="a compressed file to .npz or .safetensors")
    inspector = commands.add_parser("inspect", help="the tensors in a compressed file")
    comparer = commands.add_parser("compare", help="one checkpoint by all codecs and by others")
    for each, command, what in (
        (encoder, _encode, "checkpoint: .npz, .safetensors, Orbax folder or compressed file"),
        (decoder, _decode, "compressed file"),
        (inspector, _inspect, "compressed file"),
        (comparer, _compare, "checkpoint: .npz, .safetensors, Orbax folder or compressed file"),
    ):
        each.set_defaults(command=command)
        each.add_argument("input", metavar="IN", help=what)
        each.add_argument(
            "--weights",
            type=int,
            default=WEIGHT_LIMIT,
            metavar="N",
            help=f"believe a compressed file that claims up to N weights [{WEIGHT_LIMIT}]",
        )
    for each in (encoder, decoder):
        each.add_argument("output", metavar="OUT", help="file to write")
        each.add_argument("--force", action="store_true", help="write over OUT if it is there")
    decoder.add_argument("--only", action="append", metavar="TENSOR", help="one tensor; repeatable")
    encoder.add_argument(
        "--effort", choices=list(EFFORT), default="fast", help="speed or size [fast]"
    )
    encoder.add_argument("--lossless", action="store_true", help="keep every bit of the weights")
    comparer.set_defaults(lossless=False)
    for each in (encoder, comparer):
        _add_quantiser(each)
    return parser


def _add_quantiser(parser: argparse.ArgumentParser) -> None:
    steps = parser.add_mutually_exclusive_group()
    steps.add_argument("--step", type=_positive, help="distance of neighbouring weights")
    steps.add_argument(
        "--relative-step",
        type=_positive,
        help="the same in units of each tensor's root mean square of what is not zero "
        f"[{RELATIVE_STEP}]",
    )
    steps.add_argument(
        "--error", type=_positive, help="relative root mean square error of each tensor, at most"
    )
    parser.add_argument(
        "--quantiser", choices=["uniform", "kmeans"], default="uniform", help="[uniform]"
    )
    parser.add_argument(
        "--levels", type=int, default=LEVELS, help=f"of a codebook, for kmeans [{LEVELS}]"
    )


def _positive(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


if __name__ == "__main__":
    sys.exit(main())
