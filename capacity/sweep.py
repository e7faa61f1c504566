"""python -m capacity.sweep CONFIG [key=value ...]: an experiment to tables and figures."""

import argparse
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from rich.console import Console
from rich.table import Table

from capacity import device, running
from capacity.checking import check, mistakes, unlike
from capacity.config import ELSEWHERE, flatten, idle, reference
from capacity.experiment import ConfigError, Experiment, load
from capacity.headway import duration
from capacity.running import Place

if TYPE_CHECKING:
    from capacity.desk import Desk
    from capacity.store import Store

OUT = Console(soft_wrap=True, highlight=False, markup=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 if a trial failed, 2 for a mistake, 130 if interrupted."""
    options = _parser().parse_intermixed_args(arguments)
    try:
        experiment = load(options.config, options.overrides)
        resources = experiment.base.resources
        variables = device.environment(resources.cpus, resources.gpus)
        os.environ.update(variables)
        if resources.gpus and (options.dry_run or not options.local):
            device.keep_to_host()
        for sentence in dict.fromkeys(s for c in unlike(experiment).values() for s in idle(c)):
            OUT.print(sentence)
        return _plan(experiment) if options.dry_run else _sweep(experiment, options, variables)
    except KeyboardInterrupt:
        print("\ninterrupted; --resume carries on with what is unfinished", file=sys.stderr)
        return 130
    except mistakes() as error:
        print(error, file=sys.stderr)
        return 2


def _sweep(
    experiment: Experiment, options: argparse.Namespace, variables: Mapping[str, str]
) -> int:
    from capacity import storage  # noqa: PLC0415
    from capacity.store import Store  # noqa: PLC0415

    check(experiment, local=options.local)
    if "://" in options.results:
        raise ConfigError(
            f"--results {options.results}: is a folder of this machine, where results are written "
            f"first; storage_path={options.results} keeps them there, too"
        )
    folder, identity = Path(options.results) / experiment.name, _identity(experiment)
    path, resume = experiment.base.storage_path, options.resume
    with storage.copied(path, folder, identity, resume=resume, say=OUT.print) as copy:
        store = Store.open(folder, identity, resume=resume)
        copy.begin()
        unfinished = _run(experiment, store, options, variables)
    return 1 if unfinished or copy.missing else 0


def _run(
    experiment: Experiment,
    store: "Store",
    options: argparse.Namespace,
    variables: Mapping[str, str],
) -> bool:
    """Whether trials are left after all were run and what there is was drawn."""
    place = Place(options.local, options.address, store.folder, variables)
    if experiment.search is not None:
        from capacity import searching  # noqa: PLC0415

        desk = searching.desk_of(experiment, store, OUT.print)
        run = partial(searching.run, experiment, desk, place)
    else:
        desk = _desk(experiment, store)
        run = partial(running.run, desk.trials, desk, place)
    try:
        with desk.board:
            run()
    finally:
        store.write_tables()
        store.finish(device=", ".join(sorted(desk.devices)) or None)
    if store.finished() and not options.no_report:
        from capacity import report  # noqa: PLC0415

        report.draw(store.folder, say=OUT.print)
    return bool(desk.unfinished)


def _desk(experiment: Experiment, store: "Store") -> "Desk":
    """For the trials of a grid that are not on the disk."""
    from capacity.board import Board  # noqa: PLC0415
    from capacity.desk import Desk, deciding  # noqa: PLC0415
    from capacity.padding import resolved  # noqa: PLC0415

    trials, done = resolved(experiment.trials), store.finished()
    missing = {trial: config for trial, config in trials.items() if trial not in done}
    rounds = store.rounds
    behind = {t: rounds.behind(t, deciding(missing[t])) for t in rounds.begun() & missing.keys()}
    known = f", {len(done)} of them on disk" if done else ""
    if begun := sum(map(bool, behind.values())):
        known += f", {begun} begun ({sum(behind.values())} rounds)"
    OUT.print(f"{experiment.name}: {len(trials)} trials{known}, results in {store.folder}")
    left = sum(config.outcomes for config in missing.values()) - sum(behind.values())
    return Desk(store, Board(len(trials), len(done), left), missing)


def _plan(experiment: Experiment) -> int:
    from capacity import cost  # noqa: PLC0415
    from capacity.padding import resolved  # noqa: PLC0415
    from capacity.theory import configuration_bits  # noqa: PLC0415

    estimates = {}
    table = Table("trial", "parameters", "steps", "networks", "TFLOP", box=None)
    for name, config in resolved(experiment.trials).items():
        try:
            each = estimates[name] = cost.estimate(config)
        except mistakes() as error:
            raise ConfigError(f"{name}: {error}") from None
        numbers = (f"{each.parameters:,}", f"{each.steps:,}", str(each.networks))
        table.add_row(name, *numbers, f"{each.operations / 1e12:.2f}")
    OUT.print(table)
    if experiment.search is not None:
        from capacity import searching  # noqa: PLC0415

        OUT.print(searching.plan(experiment.search, estimates))
        return 0
    sum_ = cost.total(estimates)
    OUT.print(
        f"\n{sum_.trials} trials, {sum_.networks} trainings, {sum_.compilations} compilations, "
        f"about {duration(sum_.seconds)} on one core or device like this one "
        f"({sum_.operations / 1e12:.1f} TFLOP of training)"
    )
    bits = configuration_bits(len(values) for values in experiment.axes.values())
    OUT.print(f"naming one of them takes {bits:.2f} bits: the price of choosing the best")
    return 0


def _identity(experiment: Experiment) -> dict:
    """What makes two runs the same experiment: everything but the resources and the tracking."""
    base = {
        key: value
        for key, value in flatten(experiment.base).items()
        if key.partition(".")[0] not in ELSEWHERE
    }
    axes: dict[str, Any] = {key: list(values) for key, values in experiment.axes.items()}
    search = {}
    if experiment.search is not None:  # It decides which trials there are, and what one is charged.
        search = {"search": experiment.search.model_dump(mode="json")}
        axes = {k: axis.model_dump(exclude_defaults=True) for k, axis in experiment.space.items()}
    return {
        "name": experiment.name,
        **{k: v for k, v in base.items() if k not in axes},
        **search,
        "sweep": axes,
    }


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}; --help shows how\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m capacity.sweep",
        description="Runs every trial of an experiment and writes its tables and figures.",
        epilog=reference(shutil.get_terminal_size().columns),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", metavar="CONFIG", help="YAML file of the experiment")
    parser.add_argument(
        "overrides",
        metavar="key=value",
        nargs="*",
        help="settings to change, as training.epochs=3; a list sweeps, as model.width=[16,64]",
    )
    parser.add_argument("--results", default="results", help="folder of all experiments [results]")
    parser.add_argument("--resume", action="store_true", help="run only the trials not on disk")
    parser.add_argument("--dry-run", action="store_true", help="print trials and cost, run nothing")
    parser.add_argument("--no-report", action="store_true", help="tables alone, no figures")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--local", action="store_true", help="in this process, without Ray")
    where.add_argument("--address", help="Ray cluster to join: host:port, or auto")
    return parser


if __name__ == "__main__":
    sys.exit(main())
