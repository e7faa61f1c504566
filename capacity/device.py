"""How a process uses its machine: threads, cores, memory and compiled programs.

Everything is said through the environment before JAX starts, so that a worker of a cluster and a
run in this process compute the same numbers.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import filelock

from capacity.caches import cache_folder

CACHE_BYTES = 1 << 30
_GPU = (
    # Whole loops in one launch: steps of small networks are little else than launches, and take
    # two thirds of the time.
    "--xla_gpu_enable_command_buffer=FUSION,CUBLAS,CUBLASLT,CUSTOM_CALL,CUDNN,CONDITIONAL,WHILE,"
    "DYNAMIC_SLICE_FUSION",
    "--xla_gpu_graph_min_graph_size=1",
    # cuBLAS alone: trying Triton's tilings for every product makes the compilation of a training
    # seven times as long (results/device/compiling.md).
    "--xla_gpu_enable_triton_gemm=false",
)
_SHARED = 0.8
"""Of a device's memory, what the processes that share it may take by themselves."""
_MEMORY = Path("/proc/meminfo")
_MAPPINGS = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")


def environment(cpus: float = 1, gpus: float = 0) -> dict[str, str]:
    """Variables for a process that trains with `cpus` cores and `gpus` (a share of) devices.

    One thread per core: a population on one core wastes nothing on handing work around, and as
    many trials run as there are cores. What the user has set in XLA_FLAGS stays and wins.
    """
    flags = [
        f"--xla_cpu_multi_thread_eigen={'true' if cpus > 1 else 'false'}",
        # Sums in fused programs of jaxlib 0.10.2 are wrong for some shapes (jax-ml/jax#39103).
        "--xla_cpu_experimental_ynn_fusion_type=-reduce",
    ]
    if gpus > 0:
        flags += _GPU
    flags += os.environ.get("XLA_FLAGS", "").split()
    threads = str(max(1, int(cpus)))
    values = {
        "XLA_FLAGS": " ".join(dict.fromkeys(flags)),
        "NPROC": threads,
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        # Truncated entries of killed processes are only avoided with a lock, which a size brings.
        "JAX_COMPILATION_CACHE_DIR": str(cache_folder() / "xla"),
        "JAX_COMPILATION_CACHE_MAX_SIZE": str(CACHE_BYTES),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
    if gpus == 0:
        values["JAX_PLATFORMS"] = "cpu"
    elif gpus < 1:
        # Taken as it is needed, up to a share: a process has more on the device than its arrays,
        # CUDA's own, handles of libraries, launch graphs, for which full shares leave no room.
        values["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
        values["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{_SHARED * gpus:.3f}"
    return {name: value for name, value in values.items() if _ours(name)}


def keep_to_host() -> None:
    """This process, which only plans and writes, takes nothing of the devices that others need.

    Not by the environment, which workers inherit; before JAX computes anything here.
    """
    import jax  # noqa: PLC0415 - the environment comes first

    jax.config.update("jax_platforms", "cpu")


def make_room(share: float = 0.5) -> bool:
    """Drops this process's compiled programs if they hold too many memory mappings; says if so.

    A program compiled for a CPU takes tens of them, and XLA ends a process that runs out of the
    65,530 Linux gives it with a segmentation fault. What is needed again comes from the cache on
    disk.

    Args:
      share: of the mappings allowed, from which on programs are dropped.
    """
    import jax  # noqa: PLC0415 - the environment comes first

    held, allowed = _MAPPINGS
    if not (held.exists() and allowed.exists()):
        return False
    with held.open() as lines:
        if sum(1 for _ in lines) < share * int(allowed.read_text()):
            return False
    jax.clear_caches()
    return True


def memory() -> int | None:
    """Bytes that this process may still take of its device; None where nobody says.

    A core has its share of what the machine has available.
    """
    import jax  # noqa: PLC0415 - the environment comes first

    chosen = jax.devices()[0]
    if chosen.platform != "cpu":
        stats = chosen.memory_stats() or {}
        limit = stats.get("bytes_limit")
        return None if limit is None else limit - stats.get("bytes_in_use", 0)
    if not (_MEMORY.exists() and hasattr(os, "sched_getaffinity")):
        return None
    kilobytes = next(
        int(line.split()[1])
        for line in _MEMORY.read_text().splitlines()
        if line.startswith("MemAvailable")
    )
    return 1024 * kilobytes * len(os.sched_getaffinity(0)) // (os.cpu_count() or 1)


@contextmanager
def pinned(cpus: int, folder: Path) -> Iterator[list[int]]:
    """This process on `cpus` cores that no other process using `folder` is pinned to.

    Cores are claimed by file locks, which the system drops with the process. Where all are taken,
    or the system cannot pin, the process stays free.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield []
        return
    before = os.sched_getaffinity(0)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as locks:
        claimed = []
        for core in sorted(before):
            lock = filelock.FileLock(folder / f"core-{core}.lock", blocking=False)
            if len(claimed) < cpus:
                with suppress(filelock.Timeout):
                    locks.enter_context(lock)
                    claimed.append(core)
        if len(claimed) < cpus:
            locks.close()
            yield []
            return
        os.sched_setaffinity(0, claimed)
        try:
            yield claimed
        finally:
            os.sched_setaffinity(0, before)


def _ours(name: str) -> bool:
    """XLA_FLAGS are merged with the user's; any other variable that is set already stays."""
    return name == "XLA_FLAGS" or name not in os.environ
