"""How long rate-constrained OBS takes on LeNet-300-100: the layers alone, and with its searches.

TFDS_DATA_DIR=... python -m benchmarks.obs --weights FOLDER
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
from rich.console import Console

from benchmarks.coding_networks import Network, model_of, params_of, published
from benchmarks.grid import Grid, markdown, show, verdict
from capacity import data
from capacity.coded import calibrating
from capacity.coded.calibrating import calibration_inputs
from capacity.coded.surgeon import surgeon
from capacity.coding import Quantised
from capacity.coding.calibration import Layer
from capacity.coding.layerwise import ObsPlan, quantised_layers
from capacity.models import Model, Params, affine_layers
from capacity.subject import on_device
from capacity.training import member_keys

SECONDS = 5.0
IMAGES = 10_000
RATE_WEIGHT = 3e-7  # nats a bit
REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", required=True, type=Path, help="folder of the networks (.npz)")
    parser.add_argument("--out", type=Path, default=Path("results/coding"))
    options = parser.parse_args()
    dataset = data.load("mnist", validation_size=5000)
    draw, labels = (member_keys([0], name)[0] for name in ("calibration", "labels"))
    inputs = calibration_inputs(on_device(dataset, dataset.train), IMAGES, 0, draw)
    networks = published(options.weights)[:2]
    rows = [row for network in networks for row in _rows(network, inputs, labels)]
    header = ("what", "to reach", "by the clock", "met", "core-seconds")
    grid = Grid("Rate-constrained OBS, compiled before, medians of five", header, rows)
    show(Console(width=140), grid)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "obs.md").write_text("\n".join([f"# {grid.title}", "", *markdown(grid)]) + "\n")


def _rows(
    network: Network, inputs: jax.Array, key: jax.Array
) -> Iterator[tuple[str, str, str, str, str]]:
    """One network's times; what is to be reached is for OBS as it was published."""
    params = {name: jax.numpy.asarray(w) for name, w in params_of(network.weights).items()}
    model = model_of(network.weights)
    found = surgeon(model, params, inputs, key)(RATE_WEIGHT)
    steps = {name: leaf.step for name, leaf in found.items()}

    def searched(rounds: int) -> object:
        return surgeon(model, params, inputs, key)(RATE_WEIGHT, ObsPlan(rounds=rounds))

    jobs: dict[str, tuple[Callable[[], object], float | None]] = {
        f"moments of {IMAGES:,} images and the integers, at given steps": (
            lambda: at_given_steps(model, params, inputs, key, steps),
            SECONDS,
        ),
        "the same, each step the best of a dozen by the loss": (lambda: searched(0), None),
        "the same, natural-gradient steps after each layer": (lambda: searched(2), None),
    }
    for what, (work, bar) in jobs.items():
        work()  # its programs are then compiled
        clock, core = zip(*(timed(work) for _ in range(REPEATS)), strict=True)
        seconds = statistics.median(clock)
        yield (
            f"{network.title}: {what}",
            f"< {bar:g} s" if bar else "",
            f"{seconds:.2f} s",
            verdict(seconds < bar) if bar else "",
            f"{statistics.median(core):.2f}",
        )


def at_given_steps(
    model: Model, params: Params, inputs: jax.Array, key: jax.Array, steps: dict[str, float]
) -> dict[str, Quantised]:
    """OBS as published: layer after layer, each on the outputs of those already quantised."""
    seen = calibrating.calibration(model, params, inputs)
    affine = {layer.kernel: layer for layer in affine_layers(model)}
    return quantised_layers(
        {name: np.asarray(tensor) for name, tensor in params.items()},
        [Layer(name, layer.bias, step=steps[name]) for name, layer in affine.items()],
        RATE_WEIGHT,
        calibrating.moments(model, params, seen, key),
        lambda now, layer: calibrating.input_moments(model, affine[layer.kernel], now, seen),
    )


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock and of the core."""
    clock, core = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - core


if __name__ == "__main__":
    main()
