"""Speed and memory of the codecs on two cores, each job in a process of its own.

python -m benchmarks.coding_speed JOB runs one, a line of JSON, and prints another.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.coding_networks import published
from benchmarks.coding_sizes import FAST, MAX
from benchmarks.grid import Grid, verdict
from capacity.coding import Quantised, decode, encode
from capacity.coding.codecs import CODECS

REPEATS = 5
TENSORS = {
    "fc1": "LeNet-300-100 dense, fc1: 300 x 784",
    "sparse": "2048 x 2048, 9 % dense",
    "dense": "2048 x 2048, 30 % dense",
}
STATIC = ("categorical", "parametric")
# Million weights a second to encode and to decode, on two cores by the clock.
RATES = {FAST: (8.0, 8.0), MAX: (0.5, 0.5), **dict.fromkeys(STATIC, (50.0, 30.0))}
TREE_SECONDS = 30.0
MEMORY = 4.0  # times the float32 size of the largest tensor, beyond the input
TREE = (  # 25 million parameters: dense layers, convolutions and an embedding
    *((2048, 2048) for _ in range(3)),
    *((3, 3, 512, 512) for _ in range(4)),
    (1000, 2048),
    (2048, 512),
)


class Turn(NamedTuple):
    """Seconds of the clock and of the core, all threads together."""

    seconds: float
    core_seconds: float


class Speed(NamedTuple):
    """What a codec takes for a tensor: medians over turns, and the peak of memory.

    Attributes:
      size: bytes of the stream.
      encode_memory, decode_memory: peak of bytes beyond what goes in and what comes out; None
        where the system does not tell.
      load: of the machine, over a minute.
    """

    tensor: str
    codec: str
    weights: int
    largest: int
    size: int
    encode: Turn
    decode: Turn
    encode_memory: int | None
    decode_memory: int | None
    load: float


def jobs(weights: Path) -> Iterator[dict[str, str]]:
    """One for each tensor and codec, and the tree."""
    for tensor in TENSORS:
        for codec in RATES:
            yield {"tensor": tensor, "codec": codec, "weights": str(weights)}
    yield {"tensor": "tree", "codec": "file, fast", "weights": ""}


def run(job: dict[str, str]) -> Speed:
    """The job in a process of its own: memory is that of a process."""
    command = [sys.executable, "-m", "benchmarks.coding_speed", json.dumps(job)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{job['codec']} on {job['tensor']}: stopped; see its error above")
    line = json.loads(done.stdout)
    line |= {name: Turn(*line[name]) for name in ("encode", "decode")}
    return Speed(tensor=job["tensor"], codec=job["codec"], **line)


def main() -> None:
    """Runs the job on the command line."""
    job = json.loads(sys.argv[1])
    if job["tensor"] == "tree":
        tree = {f"layers/{k}": _layer(shape, 0.3, seed=k) for k, shape in enumerate(TREE)}
        small = {"small": next(iter(tree.values()))._replace(symbols=np.eye(40, dtype=np.int32))}
        total = sum(leaf.symbols.size for leaf in tree.values())
        largest = max(leaf.symbols.size for leaf in tree.values())
        answer = _measured(encode, decode, tree, small, 4 * total, repeats=1)
    else:
        symbols = _tensor(job["tensor"], Path(job["weights"]))
        codec = next(c for c in CODECS.values() if c.name == job["codec"])
        total = largest = symbols.size

        def read(payload: bytes) -> np.ndarray:
            return codec.decode(payload, symbols.shape)

        def tried(payload: bytes) -> np.ndarray:
            return codec.decode(payload, (40, 40))

        tried(codec.encode(np.eye(40, dtype=np.int32)) or b"")
        small = np.eye(40, dtype=np.int32)
        answer = _measured(codec.encode, read, symbols, small, 4 * total, REPEATS)
    print(
        json.dumps({**answer, "weights": total, "largest": 4 * largest, "load": os.getloadavg()[0]})
    )


def _measured(
    write: Callable, read: Callable, given: Any, small: Any, output: int, repeats: int
) -> dict[str, Any]:
    """Compiled code is loaded by a small turn before; memory is that of the first turn, in decoding
    without the `output` bytes that are returned."""
    write(small)
    encode_turns, decode_turns, size = [], [], 0
    encode_memory = decode_memory = None
    for repeat in range(repeats):
        before = _forget_peak()
        data, turn = _timed(lambda: write(given))
        if repeat == 0:
            encode_memory = _peak_over(before)
        encode_turns.append(turn)
        size = len(data)
        before = _forget_peak()
        back, turn = _timed(lambda d=data: read(d))
        if repeat == 0:
            decode_memory = _peak_over(before, output)
        decode_turns.append(turn)
        _check(back, given)
        del back
    return {
        "size": size,
        "encode": _median(encode_turns),
        "decode": _median(decode_turns),
        "encode_memory": encode_memory,
        "decode_memory": decode_memory,
    }


def _check(back: Any, given: Any) -> None:
    if isinstance(given, np.ndarray):
        same = np.array_equal(back, given)
    else:
        same = all(
            np.array_equal(back[n], q.symbols * np.float32(q.step)) for n, q in given.items()
        )
    if not same:
        sys.exit("what was decoded is not what was encoded")


def _timed(work: Callable) -> tuple[Any, Turn]:
    clock, core = time.perf_counter(), time.process_time()
    result = work()
    return result, Turn(time.perf_counter() - clock, time.process_time() - core)


def _median(turns: Sequence[Turn]) -> Turn:
    return Turn(*(statistics.median(column) for column in zip(*turns, strict=True)))


def _forget_peak() -> int | None:
    """Resident bytes now, from which the peak counts anew; None where Linux is not there."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS")
    except OSError:
        return None


def _peak_over(before: int | None, output: int = 0) -> int | None:
    return None if before is None else max(0, _status("VmHWM") - before - output)


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(field))


def _tensor(name: str, weights: Path) -> np.ndarray:
    if name == "fc1":
        return next(iter(published(weights)[0].symbols().values()))
    return _layer((2048, 2048), 0.09 if name == "sparse" else 0.3, seed=0).symbols


def _layer(shape: tuple[int, ...], density: float, seed: int) -> Quantised:
    """A share of integers that are not zero, of rows and columns of unequal strength."""
    generator = np.random.default_rng(seed)
    real = generator.laplace(size=shape).astype(np.float32)
    real *= generator.uniform(0.3, 1.7, shape[-1]).astype(np.float32)
    real *= generator.uniform(0.3, 1.7, (shape[0], *(1 for _ in shape[1:]))).astype(np.float32)
    real *= 0.5 / np.quantile(np.abs(real), 1 - density)
    return Quantised(np.rint(real).astype(np.int32), 2.0**-6)


def speed_grid(found: Sequence[Speed]) -> Grid:
    """Rates and memory of every job, with what was asked and whether it is met by the clock."""
    rows = []
    for each in found:
        if each.tensor == "tree":
            continue
        asked = zip(("encode", "decode"), RATES[each.codec], strict=True)
        for what, bar in asked:
            turn, peak = getattr(each, what), getattr(each, f"{what}_memory")
            rate = each.weights / turn.seconds / 1e6
            rows.append(
                (
                    f"{each.codec}, {what}: {TENSORS[each.tensor]}",
                    f">= {bar:g}",
                    f"{rate:.2f}",
                    verdict(rate >= bar),
                    f"{each.weights / turn.core_seconds / 1e6:.2f}",
                    *_memory(peak, each.largest),
                    f"{each.load:.1f}",
                )
            )
    header = (
        "codec, direction, tensor",
        "to reach, M weights/s",
        "by the clock",
        "met",
        "per core-second",
        "memory, x tensor",
        "<= 4 met",
        "load",
    )
    return Grid("Speed", header, rows)


def tree_grid(found: Sequence[Speed]) -> Grid:
    """The tree of 25 million parameters, coded with the fast preset."""
    rows = []
    for each in found:
        if each.tensor != "tree":
            continue
        for what in ("encode", "decode"):
            turn, peak = getattr(each, what), getattr(each, f"{what}_memory")
            bar = what == "encode"
            rows.append(
                (
                    f"{what} {each.weights / 1e6:.1f} M weights, effort fast",
                    f"< {TREE_SECONDS:.0f} s" if bar else "",
                    f"{turn.seconds:.1f} s",
                    verdict(turn.seconds < TREE_SECONDS) if bar else "",
                    f"{turn.core_seconds:.1f}",
                    *_memory(peak, each.largest),
                    f"{each.load:.1f}",
                )
            )
    header = (
        "what",
        "to reach",
        "by the clock",
        "met",
        "core-seconds",
        "memory, x largest tensor",
        "<= 4 met",
        "load",
    )
    return Grid("A tree of 25 million parameters", header, rows)


def _memory(peak: int | None, largest: int) -> tuple[str, str]:
    if peak is None:
        return "unknown", ""
    return f"{peak / largest:.2f}", verdict(peak <= MEMORY * largest)


if __name__ == "__main__":
    main()
