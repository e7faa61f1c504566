"""Convolutions on a CPU as products of patches, beside XLA's own: values and gradients in a loop.

python -m benchmarks.convolution
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array
from rich.console import Console

from benchmarks.grid import Grid, markdown, show, write_csv
from capacity.models.convolution import convolve

STEPS, TURNS = 4, 3
LAYERS = {
    "LeNet-5, first": ((60, 28, 28, 1), (5, 5, 1, 20), "VALID"),
    "LeNet-5, second": ((60, 12, 12, 20), (5, 5, 20, 50), "VALID"),
    "ResNet, first stage": ((60, 32, 32, 16), (3, 3, 16, 16), "SAME"),
    "VGG-like, 64 channels": ((60, 16, 16, 64), (3, 3, 64, 64), "SAME"),
}
Convolution = Callable[[Array, Array], Array]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/convolution"))
    options = parser.parse_args()
    console = Console(width=120)
    rows = []
    for name, (images, kernel, padding) in LAYERS.items():
        times = _times(images, kernel, padding)
        ratios = (f"{times['XLA', what] / times['patches', what]:.2f}" for what in _LOOPS)
        cells = (f"{1000 * seconds:.1f}" for seconds in times.values())
        rows.append((name, *cells, *ratios))
        console.print(f"{name}: done")
    header = ("layer", *(f"{how}, {what}, ms" for how in ("XLA", "patches") for what in _LOOPS))
    header += tuple(f"{what}, ratio" for what in _LOOPS)
    grid = Grid(f"A step in a loop of {STEPS}, batches of 60, median of {TURNS}", header, rows)
    show(console, grid)
    options.out.mkdir(parents=True, exist_ok=True)
    lines = ["# Convolutions on a CPU", "", "- Command: `python -m benchmarks.convolution`"]
    lines += [f"- jax {jax.__version__}, {jax.devices()[0].device_kind}", ""]
    (options.out / "convolution.md").write_text("\n".join([*lines, *markdown(grid)]) + "\n")
    write_csv(options.out / "convolution.csv", grid.header, grid.rows)


def _times(images: tuple, kernel: tuple, padding: str) -> dict[tuple[str, str], float]:
    """Seconds of a step, by way and by what is computed."""
    layout: Any = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}
    ways: dict[str, Convolution] = {
        "XLA": lambda x, w: jax.lax.conv_general_dilated(x, w, (1, 1), padding, **layout),
        "patches": lambda x, w: convolve(x, w, (1, 1), padding, **layout),
    }
    x = jax.random.normal(jax.random.key(0), images)
    w = jax.random.normal(jax.random.key(1), kernel) * 0.1
    return {
        (way, what): _seconds(jax.jit(loop(function)), x, w)
        for way, function in ways.items()
        for what, loop in _LOOPS.items()
    }


def _seconds(run: Callable[[Array, Array], Array], x: Array, w: Array) -> float:
    jax.block_until_ready(run(x, w))
    turns = []
    for _ in range(TURNS):
        began = time.perf_counter()
        jax.block_until_ready(run(x, w))
        turns.append((time.perf_counter() - began) / STEPS)
    return median(turns)


def _values(function: Convolution) -> Callable[[Array, Array], Array]:
    """Every step needs the one before, so that none is left out."""

    def run(x: Array, w: Array) -> Array:
        return jax.lax.fori_loop(0, STEPS, lambda _, w: w + 1e-9 * jnp.sum(function(x, w)), w)

    return run


def _gradients(function: Convolution) -> Callable[[Array, Array], tuple[Array, Array]]:
    """By the images and by the kernel, as in every layer but the first."""
    slopes = jax.grad(lambda x, w: jnp.sum(jnp.sin(function(x, w))), (0, 1))

    def step(_: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
        by_images, by_kernel = slopes(*now)
        return now[0] - 1e-6 * by_images, now[1] - 1e-6 * by_kernel

    return lambda x, w: jax.lax.fori_loop(0, STEPS, step, (x, w))


_LOOPS: dict[str, Callable[[Convolution], Callable]] = {
    "values": _values,
    "gradients": _gradients,
}


if __name__ == "__main__":
    main()
