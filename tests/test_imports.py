"""The rooms: imports point downwards only, and some libraries have one importer."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import capacity

ROOT = Path(capacity.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# From top to bottom: a room imports rooms below it and nothing else of this package.
ROOMS = (
    # the world
    "sweep",
    "report",
    "compress",
    "dataset",
    "checking",
    "searching",
    "running",
    "desk",
    "checkpoints",
    "cluster",
    "background",
    "board",
    "headway",
    "together",
    "padding",
    "cost",
    "device",
    "packing",
    "storage",
    "store",
    "provenance",
    "files",
    "tables",
    "analysis",
    # one trial
    "trial",
    "continuing",
    "accounts",
    "memorising",
    "measured",
    "coded",
    "rounds",
    "teaching",
    "subject",
    "sparsity",
    "updates",
    "experiment",
    "axes",
    "config",
    "rows",
    # networks
    "lottery",
    "criteria",
    "training",
    "models",
    "data",
    # numbers
    "search",
    "information",
    "theory",
    "saturation",
    "pruning",
    "coding",
    "caches",
    "names",
)

ONLY_IMPORTER = {
    "ray": "cluster",
    "flax": "models",
    "tensorflow_datasets": "data",
    "constriction": "coding",
    "matfree": "information",
    "matplotlib": "analysis",
    "optuna": "search",
}


def module_name(file):
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file) for file in FILES}


def imported(file):
    """Full names of all modules that `file` imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else str(node.module)


def room(module):
    parts = module.split(".")
    return parts[1] if parts[0] == "capacity" and len(parts) > 1 else None


def loaded(importing, *modules):
    """Which of `modules` importing these loads, in a process of their own."""
    told = f"import sys, {importing}; print({{*{modules}}} & {{*sys.modules}})"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return found.stdout.strip()


@pytest.mark.parametrize("file", FILES, ids=module_name)
def test_imports_point_downwards(file):
    own = room(module_name(file))
    others = {room(name) for name in imported(file)} - {None, own}
    if own is None:
        assert not others
    else:
        upwards = [other for other in others if ROOMS.index(other) < ROOMS.index(own)]
        assert not upwards, f"{own} imports {upwards}, which is above it"


def test_no_circle_of_modules():
    graph = {module_name(file): set(imported(file)) & MODULES for file in FILES}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("library", ONLY_IMPORTER)
def test_a_library_has_one_importing_room(library):
    importers = {
        room(module_name(file))
        for file in FILES
        if any(name.partition(".")[0] == library for name in imported(file))
    }
    assert importers == {ONLY_IMPORTER[library]}


def test_every_room_has_its_place():
    assert {room(name) for name in MODULES} - {None} <= set(ROOMS)


def test_the_environment_of_a_trial_is_known_before_its_libraries_load():
    """NumPy's and SciPy's BLAS take their number of threads from it once, when they load."""
    assert loaded("capacity.sweep", "numpy", "scipy", "jax") == "set()"


def test_who_only_plans_waits_for_no_statistics():
    assert loaded("capacity.checking, capacity.cost", "scipy.stats") == "set()"
