"""python -m capacity.dataset NAME [key=value ...]: how many bits a data set holds, as a card."""

import argparse
import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from capacity import data
from capacity.data import DataError, Dataset
from capacity.data.options import suggestion
from capacity.files import write
from capacity.information import Measures, line
from capacity.tables import StoreError, csv_text

HEADER = ("measure", "symbol", "value", "standard error", "unit", "kind", "meaning", "note")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, 2 for a mistake, 130 if interrupted."""
    chosen = _parser().parse_intermixed_args(arguments)
    try:
        options = _options(chosen.overrides)
        dataset = data.load(chosen.name, **{"validation_size": 0, **options})
        found = _measured(dataset)
        Console().print(_card(dataset, found))
        if chosen.out is not None:
            command = " ".join(["python -m capacity.dataset", chosen.name, *chosen.overrides])
            stem = chosen.name.replace("/", "-").replace(":", "-")
            write(Path(chosen.out) / f"{stem}.md", _markdown(dataset, found, command))
            write(Path(chosen.out) / f"{stem}.csv", csv_text([HEADER, *_rows(found)]))
    except KeyboardInterrupt:
        print("\ninterrupted; what was measured in full is kept", file=sys.stderr)
        return 130
    except (DataError, StoreError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _measured(dataset: Dataset) -> Measures:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as bars:
        task = bars.add_task("", total=1.0)
        return data.measures(
            dataset, lambda what, share: bars.update(task, description=what, completed=share)
        )


def _card(dataset: Dataset, found: Measures) -> Table:
    table = Table(title=_title(dataset), box=None, title_justify="left", padding=(0, 1, 0, 0))
    for name in ("", "symbol"):
        table.add_column(name, overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("s.e.", justify="right", no_wrap=True)
    for name in ("unit", "kind"):
        table.add_column(name, no_wrap=True)
    group = told = None
    for name, measure in found.items():
        of = line(name)
        if of.group != group:
            table.add_row(f"\n[b]{of.group}")
            group, told = of.group, None
        new = measure.note and measure.note != told  # a note on several lines is told once
        meaning = f"{of.doc} [dim]({escape(measure.note)})[/dim]" if new else of.doc
        told = measure.note
        value, error = _number(measure.value), _number(measure.standard_error)
        table.add_row(meaning, of.symbol, value or "–", error, of.unit, of.kind)
    return table


def _markdown(dataset: Dataset, found: Measures, command: str) -> str:
    parts = [f"# {_title(dataset)}\n\nBy `{command}`."]
    group = None
    for name, measure in found.items():
        of = line(name)
        if of.group != group:
            parts.append(f"\n## {of.group}\n\n| | symbol | value | s.e. | unit | kind | note |")
            parts.append("| --- | --- | ---: | ---: | --- | --- | --- |")
            group = of.group
        value, error = _number(measure.value), _number(measure.standard_error)
        cells = (of.doc, of.symbol, value or "–", error, of.unit, of.kind, measure.note)
        parts.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(parts) + "\n"


def _rows(found: Measures) -> Iterator[tuple]:
    for name, measure in found.items():
        of = line(name)
        number = (measure.value, measure.standard_error)
        yield name, of.symbol, *number, of.unit, of.kind, of.doc, measure.note


def _title(dataset: Dataset) -> str:
    shape = " x ".join(map(str, dataset.train.inputs.shape))
    return (
        f"{dataset.name}: {shape} {dataset.train.inputs.dtype}, fingerprint {dataset.fingerprint}"
    )


def _number(value: float | None) -> str:
    """Counts whole, large numbers to a tenth, others to four decimals; thousands apart."""
    if value is None:
        return ""
    digits = 0 if isinstance(value, int) else 1 if abs(value) >= 1000 else 4
    return f"{value:,.{digits}f}".replace(",", " ")


def _options(overrides: Sequence[str]) -> dict[str, Any]:
    """What `data.load` takes, from key=value."""
    accepted = [name for name in inspect.signature(data.load).parameters if name != "name"]
    options = {}
    for override in overrides:
        key, equals, text = override.partition("=")
        key = key.removeprefix("data.")
        if not equals:
            raise DataError(f"{override}: must be key=value, as label_noise=0.2")
        if key not in accepted:
            raise DataError(
                f"data.{key}: is no option of a data set"
                + (suggestion(key, accepted) or f"; they are {', '.join(accepted)}")
            )
        try:
            options[key] = yaml.safe_load(text)
        except yaml.YAMLError:
            raise DataError(f"data.{key} = {text}: is no YAML value") from None
    return options


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}; --help shows how\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m capacity.dataset", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="digits, gaussian, teacher or a TFDS name")
    parser.add_argument(
        "overrides",
        metavar="key=value",
        nargs="*",
        default=[],
        help="options of the data section of a configuration, as label_noise=0.2 train_size=1000",
    )
    parser.add_argument("--out", metavar="DIR", help="write NAME.md and NAME.csv there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
