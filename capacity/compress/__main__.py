"""python -m capacity.compress: any checkpoint to a compressed file and back, and what it takes."""

import argparse
import math
import sys
from collections.abc import Sequence
from typing import NoReturn

from capacity.checkpoints import CheckpointError
from capacity.coding import CorruptFile, UnquantisableTensor, UnstorableTensor
from capacity.coding.codecs import EFFORT
from capacity.coding.file import WEIGHT_LIMIT
from capacity.coding.recipe import LEVELS, RELATIVE_STEP, Recipe
from capacity.compress import commands
from capacity.tables import StoreError

MISTAKES = (
    commands.CompressError,
    CheckpointError,
    CorruptFile,
    UnquantisableTensor,
    UnstorableTensor,
    StoreError,
)
CHECKPOINT = "checkpoint: .npz, .safetensors, folder of Orbax, or compressed file"


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
    commands.encode(
        options.input,
        options.output,
        _recipe(options),
        effort=options.effort,
        force=options.force,
        limit=options.weight_limit,
    )


def _decode(options: argparse.Namespace) -> None:
    commands.decode(
        options.input,
        options.output,
        only=options.only,
        force=options.force,
        limit=options.weight_limit,
    )


def _inspect(options: argparse.Namespace) -> None:
    commands.inspect(options.input, limit=options.weight_limit)


def _compare(options: argparse.Namespace) -> None:
    commands.compare(options.input, _recipe(options), limit=options.weight_limit)


def _recipe(options: argparse.Namespace) -> Recipe:
    return Recipe(
        quantiser="lossless" if options.lossless else options.quantiser,
        step=options.step,
        error=options.error,
        relative_step=options.relative_step,
        levels=options.levels,
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}; --help shows how\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m capacity.compress",
        description="Checkpoints to compressed files and back.",
    )
    commands = parser.add_subparsers(required=True, metavar="encode|decode|inspect|compare")

    def add(name: str, command, takes: str, meaning: str) -> argparse.ArgumentParser:
        each = commands.add_parser(name, help=meaning, description=meaning)
        each.set_defaults(command=command)
        each.add_argument("input", metavar="IN", help=takes)
        each.add_argument(
            "--weight-limit",
            type=int,
            default=WEIGHT_LIMIT,
            metavar="N",
            help=f"believe a compressed file that claims up to N weights [{WEIGHT_LIMIT}]",
        )
        return each

    encoder = add("encode", _encode, CHECKPOINT, "a checkpoint to a compressed file")
    decoder = add("decode", _decode, "compressed file", "a compressed file to .npz or .safetensors")
    add("inspect", _inspect, "compressed file", "the tensors in a compressed file")
    comparer = add("compare", _compare, CHECKPOINT, "one checkpoint by every codec and by others")
    for each in (encoder, decoder):
        each.add_argument("output", metavar="OUT", help="file to write")
        each.add_argument("--force", action="store_true", help="write over OUT if it is there")
    decoder.add_argument("--only", action="append", metavar="TENSOR", help="one tensor; repeatable")
    encoder.add_argument(
        "--effort", choices=list(EFFORT), default="fast", help="speed or size [fast]"
    )
    _add_quantiser(encoder).add_argument(
        "--lossless", action="store_true", help="keep every bit of the weights"
    )
    _add_quantiser(comparer)
    comparer.set_defaults(lossless=False)
    return parser


def _add_quantiser(parser: argparse.ArgumentParser):
    """The options of a recipe; returns the group of those that exclude one another."""
    parser.add_argument(
        "--quantiser", choices=["uniform", "rdo", "kmeans"], default="uniform", help="[uniform]"
    )
    parser.add_argument(
        "--levels", type=int, default=LEVELS, help=f"of a codebook, for kmeans [{LEVELS}]"
    )
    steps = parser.add_mutually_exclusive_group()
    steps.add_argument("--step", type=_positive, help="distance of neighbouring weights")
    steps.add_argument(
        "--relative-step",
        type=_positive,
        default=RELATIVE_STEP,
        help="the same in units of each tensor's root mean square of what is not zero "
        f"[{RELATIVE_STEP}]",
    )
    steps.add_argument(
        "--error", type=_positive, help="relative root mean square error of each tensor, at most"
    )
    return steps


def _positive(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


if __name__ == "__main__":
    sys.exit(main())
