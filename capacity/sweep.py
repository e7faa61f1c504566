"""python -m capacity.sweep CONFIG [key=value ...]: an experiment to tables and figures."""

import argparse
import math
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from rich.console import Console
from rich.table import Table

from capacity import device
from capacity.config import Config, Search, flatten, idle, reference
from capacity.experiment import ConfigError, Experiment, load

if TYPE_CHECKING:
    from capacity.cost import Estimate
    from capacity.desk import Desk
    from capacity.searching import Hunt

OUT = Console(soft_wrap=True, highlight=False, markup=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 if a trial failed, 2 for a mistake, 130 if interrupted."""
    options = _parser().parse_intermixed_args(arguments)
    try:
        experiment = load(options.config, options.overrides)
        resources = experiment.base.resources
        variables = device.environment(resources.cpus, resources.gpus)
        os.environ.update(variables)
        for sentence in dict.fromkeys(s for c in experiment.trials.values() for s in idle(c)):
            OUT.print(sentence)
        return _plan(experiment) if options.dry_run else _sweep(experiment, options, variables)
    except KeyboardInterrupt:
        print("\ninterrupted; --resume carries on with what is unfinished", file=sys.stderr)
        return 130
    except _mistakes() as error:
        print(error, file=sys.stderr)
        return 2


def _sweep(
    experiment: Experiment, options: argparse.Namespace, variables: Mapping[str, str]
) -> int:
    from capacity import report  # noqa: PLC0415
    from capacity.board import Board  # noqa: PLC0415
    from capacity.desk import Desk  # noqa: PLC0415
    from capacity.store import Store  # noqa: PLC0415

    trials = experiment.trials
    _check(trials)
    if experiment.search is not None:
        return _search(experiment, options, variables)
    folder = Path(options.results) / experiment.name
    store = Store.open(folder, _identity(experiment), resume=options.resume)
    done = store.finished()
    missing = {trial: config for trial, config in trials.items() if trial not in done}
    known = f", {len(done)} of them on disk" if done else ""
    OUT.print(f"{experiment.name}: {len(trials)} trials{known}, results in {folder}")
    board = Board(len(trials), len(done))
    desk = Desk(store, board, missing)
    try:
        with board:
            if missing and options.local:
                _run_here(missing, desk)
            elif missing:
                _run_on_ray(missing, desk, folder, options.address, variables)
    finally:
        store.write_tables()
        store.finish(device=", ".join(sorted(desk.devices)) or None)
    if store.finished():
        report.draw(folder, say=OUT.print)
    return 1 if trials.keys() - store.finished() else 0


def _search(
    experiment: Experiment, options: argparse.Namespace, variables: Mapping[str, str]
) -> int:
    """The sweep whose trials are proposed as it goes, by what those before came to."""
    from capacity import report  # noqa: PLC0415
    from capacity.board import Board  # noqa: PLC0415
    from capacity.desk import Desk  # noqa: PLC0415
    from capacity.searching import Hunt  # noqa: PLC0415
    from capacity.store import Store  # noqa: PLC0415

    search = experiment.search
    assert search is not None
    _where(search, local=options.local)
    folder = Path(options.results) / experiment.name
    store = Store.open(folder, _identity(experiment), resume=options.resume)
    done = len(store.finished())
    known = f", {done} of them on disk" if done else ""
    OUT.print(f"{experiment.name}: {search.trials} trials by {search.method}{known}, in {folder}")
    board, trials, rows = Board(search.trials, done), {}, {}
    desk = Desk(store, board, trials, rows, search.trials)
    try:
        hunt = Hunt(experiment, store, board.say)
        with board:
            if options.local:
                while (candidate := hunt.next()) is not None:
                    trials[candidate.trial], rows[candidate.trial] = candidate.config, candidate.row
                    _run_here({candidate.trial: candidate.config}, desk, candidate.start)
                    hunt.ended(candidate.trial)
            elif hunt.left > 0:
                _search_on_ray(experiment, hunt, desk, trials, rows, folder, options, variables)
    finally:
        store.write_tables()
        store.finish(device=", ".join(sorted(desk.devices)) or None)
    if store.finished():
        report.draw(folder, say=OUT.print)
    return 1 if trials.keys() - store.finished() - desk.stopped else 0


def _search_on_ray(
    experiment: Experiment,
    hunt: "Hunt",
    desk: "Desk",
    trials: dict[str, Config],
    rows: dict[str, Any],
    folder: Path,
    options: argparse.Namespace,
    variables: Mapping[str, str],
) -> None:
    assert experiment.search is not None

    def propose() -> tuple[str, Config] | None:
        candidate = hunt.next()
        if candidate is None:
            return None
        trials[candidate.trial], rows[candidate.trial] = candidate.config, candidate.row
        return candidate.trial, candidate.config

    def outcome(trial: str, content: Any) -> None:
        if desk.outcome(trial, content):
            hunt.ended(trial)

    def failed(trial: str, reason: str) -> None:
        from capacity import cluster  # noqa: PLC0415

        desk.failed(trial, reason, stopped=reason.startswith(cluster.STOPPED))
        hunt.ended(trial)

    _run_on_ray(
        experiment.trials,
        desk,
        folder,
        options.address,
        variables,
        Asking(propose, hunt.left, outcome, failed, experiment.search),
    )


class Asking(NamedTuple):
    """Of a search on Ray: who proposes, how many more, and who is told."""

    propose: Callable[[], tuple[str, Config] | None]
    left: int
    outcome: Callable[[str, Any], None]
    failed: Callable[[str, str], None]
    search: Search


def _where(search: Search, *, local: bool) -> None:
    """Refuses what only the other place can do."""
    if local and search.asha is not None:
        raise ConfigError("search.asha: trials are stopped early on Ray alone: without --local")
    if not local and search.inherit:
        raise ConfigError("search.inherit: parents' weights are at hand with --local alone")


def _run_here(
    trials: Mapping[str, Config], desk: "Desk", start: Mapping[str, Any] | None = None
) -> None:
    from capacity import trial  # noqa: PLC0415

    for name, config in trials.items():
        try:
            for outcome in trial.run(config, name, partial(desk.progress, name), start):
                desk.outcome(name, outcome)
        except (ArithmeticError, ValueError, RuntimeError, MemoryError) as error:
            desk.failed(name, f"{type(error).__name__}: {error}")
        device.make_room()


def _run_on_ray(
    trials: Mapping[str, Config],
    desk: "Desk",
    folder: Path,
    address: str | None,
    variables: Mapping[str, str],
    asking: "Asking | None" = None,
) -> None:
    if address is None:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # Listen on loopback only.
    from capacity import cluster  # noqa: PLC0415

    resources = next(iter(trials.values())).resources
    with cluster.connected(address, resources, variables) as dashboard:
        if dashboard.directions:
            desk.board.say(f"dashboard: {dashboard.directions}")
        asked = None
        if asking is not None:
            at_once = asking.search.at_once or cluster.room(resources)
            asked = cluster.Asked(asking.propose, asking.left, at_once)
        cluster.run(
            trials,
            dashboard,
            folder / "ray",
            folder.name,
            progress=desk.progress,
            outcome=asking.outcome if asking else desk.outcome,
            failed=asking.failed if asking else desk.failed,
            verbose=not desk.board.console.is_terminal,
            asked=asked,
            search=asking.search if asking else None,
        )


def _check(trials: Mapping[str, Config]) -> None:
    """Refuses at once what a trial would refuse after the ones before it have run for hours."""
    from capacity import memorising, subject  # noqa: PLC0415

    for name, config in trials.items():
        try:
            if config.training.on:
                subject.check(config)
            if config.memorising.on:
                memorising.check(config)
        except _mistakes() as error:
            raise ConfigError(f"{name}: {error}") from None


def _plan(experiment: Experiment) -> int:
    from capacity import cost  # noqa: PLC0415
    from capacity.theory import configuration_bits  # noqa: PLC0415

    estimates = {}
    table = Table("trial", "parameters", "steps", "networks", "TFLOP", box=None)
    for name, config in experiment.trials.items():
        try:
            each = estimates[name] = cost.estimate(config)
        except _mistakes() as error:
            raise ConfigError(f"{name}: {error}") from None
        numbers = (f"{each.parameters:,}", f"{each.steps:,}", str(each.networks))
        table.add_row(name, *numbers, f"{each.operations / 1e12:.2f}")
    OUT.print(table)
    if experiment.search is not None:
        return _plan_of_search(experiment.search, estimates)
    sum_ = cost.total(estimates)
    OUT.print(
        f"\n{sum_.trials} trials, {sum_.networks} trainings, {sum_.compilations} compilations, "
        f"about {_duration(sum_.seconds)} on one core or device like this one "
        f"({sum_.operations / 1e12:.1f} TFLOP of training)"
    )
    bits = configuration_bits(len(values) for values in experiment.axes.values())
    OUT.print(f"naming one of them takes {bits:.2f} bits: the price of choosing the best")
    return 0


def _plan_of_search(search: Search, ends: Mapping[str, "Estimate"]) -> int:
    from capacity import cost  # noqa: PLC0415

    seconds = sorted(cost.total({name: each}).seconds for name, each in ends.items())
    few, most = (_duration(search.trials * each) for each in (seconds[0], seconds[-1]))
    OUT.print(
        f"\n{search.trials} trials by {search.method} between these two, "
        f"{few} to {most} of training on one core or device like this one, and a compilation each"
    )
    OUT.print(
        f"naming one of {search.trials} takes {math.log2(search.trials):.2f} bits: "
        "the price of choosing the best"
    )
    return 0


def _identity(experiment: Experiment) -> dict:
    """What makes two runs the same experiment: everything but the resources."""
    settings = flatten(experiment.base)
    base = {key: value for key, value in settings.items() if not key.startswith("resources.")}
    axes: dict[str, Any] = {key: list(values) for key, values in experiment.axes.items()}
    search = {}
    if experiment.search is not None:
        search = {"search": experiment.search.model_dump(mode="json")}
        axes = {k: axis.model_dump(exclude_defaults=True) for k, axis in experiment.space.items()}
    return {
        "name": experiment.name,
        **{k: v for k, v in base.items() if k not in axes},
        **search,
        "sweep": axes,
    }


def _mistakes() -> tuple[type[Exception], ...]:
    """What a user can mend: told in a sentence, without a traceback."""
    kinds: list[type[Exception]] = [ConfigError]
    for module, names in {
        "capacity.store": ["StoreError"],
        "capacity.data.dataset": ["DataError"],
        "capacity.models.model": ["ModelError"],
        "capacity.subject": ["TrialError"],
        "capacity.cluster": ["ClusterError"],
    }.items():
        if module in sys.modules:
            kinds += [getattr(sys.modules[module], name) for name in names]
    return tuple(kinds)


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
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--local", action="store_true", help="in this process, without Ray")
    where.add_argument("--address", help="Ray cluster to join: host:port, or auto")
    return parser


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    sys.exit(main())
