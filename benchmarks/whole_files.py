"""Published networks as the best files within a size, by OBS: `capacity.coded.surgeon`.

TFDS_DATA_DIR=... python -m benchmarks.whole_files --weights FOLDER

The size is fixed beforehand. A bisection looks for the rate weight that meets it; of all files made
within the size, the one is taken whose network loses least on 5,000 training images apart, moved by
up to a pixel, as the networks have seen all that are not.
The test split is looked at once, for the line that is printed.
"""

import argparse
import time
from pathlib import Path

from jaxtyping import Array
from rich.console import Console

from benchmarks.coding_networks import Network, model_of, params_of, published, score_of
from benchmarks.coding_peers import WHOLE_FILES
from capacity import coding, data
from capacity.coded.calibrating import calibration_inputs
from capacity.coded.surgeon import surgeon
from capacity.coding.layerwise import ObsPlan
from capacity.coding.order import with_units_ordered
from capacity.coding.search import coarsest_within
from capacity.models import interchangeable
from capacity.subject import on_device
from capacity.training import Examples, member_keys
from capacity.training.quantising import shifted

IMAGES = {"mlp": 40_000, "lenet5": 20_000}  # calibration; a convolution sees many patches of each
CAUTION = {"mlp": 1 / 2, "lenet5": 1 / 8}  # see `ObsPlan`
APART = 5_000  # images that choose among the files
SHIFT = 1
DEAREST, CHEAPEST = 3e-6, 3e-8  # rate weights, nats a bit
TRIALS = 6  # of a bisection, besides its two ends


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", required=True, type=Path, help="folder of the networks (.npz)")
    parser.add_argument("--only", nargs="+", help="names of networks, all where none is given")
    parser.add_argument("--out", type=Path, default=Path("results/coding/files"))
    options = parser.parse_args()
    console = Console()
    dataset = data.load("mnist", validation_size=APART)
    train, apart, test = (
        on_device(dataset, split) for split in (dataset.train, dataset.validation, dataset.test)
    )
    draw, moved = (member_keys([0], name)[0] for name in ("calibration", "apart"))
    inputs = calibration_inputs(train, max(IMAGES.values()), SHIFT, draw)
    apart = apart._replace(inputs=shifted(apart.inputs, SHIFT, moved))
    options.out.mkdir(parents=True, exist_ok=True)
    for network in published(options.weights):
        asked = WHOLE_FILES.get(network.name)
        if asked is None or network.name not in (options.only or WHOLE_FILES):
            continue
        content = best_within(asked.bar, network, inputs, apart, console)
        (options.out / f"{network.name}.cap").write_bytes(content)
        found = score_of(model_of(network.weights), coding.decode(content), test)
        console.print(
            f"{network.title}: {len(content):,} bytes, "
            f"{found.accuracy:.2f} %, loss {found.loss:.4f} bits"
        )


def best_within(
    budget: int, network: Network, inputs: Array, apart: Examples, console: Console
) -> bytes:
    """The file of at most `budget` bytes whose network loses least on the examples apart."""
    began = time.perf_counter()
    model, params = model_of(network.weights), params_of(network.weights)
    kind = "lenet5" if "lenet5" in network.name else "mlp"
    quantised = surgeon(model, params, inputs[: IMAGES[kind]], member_keys([0], "labels")[0])
    made: list[tuple[float, bytes]] = []

    def size(fineness: float) -> int:
        leaves = quantised(1 / fineness, ObsPlan(caution=CAUTION[kind]))
        content = coding.encode(with_units_ordered(leaves, interchangeable(model)), effort="max")
        made.append((score_of(model, coding.decode(content), apart).loss, content))
        console.print(
            f"{time.perf_counter() - began:6.0f} s  {network.title}: "
            f"rate weight {1 / fineness:.1e}, {len(content):,} bytes of {budget:,}, "
            f"loss {made[-1][0]:.5f} bits",
            soft_wrap=True,
        )
        return len(content)

    coarsest_within(size, float, budget, 1 / DEAREST, 1 / CHEAPEST, trials=TRIALS)
    within = [each for each in made if len(each[1]) <= budget]
    if not within:
        raise SystemExit(f"{network.title}: no rate weight makes a file of {budget:,} bytes")
    return min(within)[1]


if __name__ == "__main__":
    main()
