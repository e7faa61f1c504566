"""What tells trials apart, and the name, colour and dash that each keeps in every figure."""

from typing import Any, NamedTuple

import matplotlib as mpl
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from capacity.analysis.statistics import MARK
from capacity.analysis.style import GREY, PALETTE
from capacity.rows import NetworkRow
from capacity.rows.columns import columns

DESCRIPTORS = ("dataset", "family", "width", "depth", "train_size", "label_noise")
SHADED = ("width", "train_size", "depth", "label_noise")  # many trials: coloured by the first
DASHES: dict[str, Any] = {
    "reinitialised": "--",
    "random-mask": ":",
    "random-ticket": "-.",
    "sibling": (0, (1, 2.5)),
    "small-dense": (0, (6, 1.5, 1, 1.5, 1, 1.5)),
}
ENTRIES = 10  # lines that a legend beside a figure can hold


class Look(NamedTuple):
    """How one trial is drawn: `marks` is the size of its markers, `weight` that of its lines."""

    label: str
    colour: str
    dashes: Any
    marks: float
    weight: float
    marker: str = "o"


class Looks(NamedTuple):
    """The look of each trial and their legend; `few` if each trial has its own colour."""

    of: dict[str, Look]
    title: str
    entries: list[Artist]
    few: bool

    def legend(self, figure: Figure, extra: list[Artist] | None = None) -> None:
        """A legend beside the figure: the trials, then the `extra` artists."""
        handles = [*self.entries, *(extra or [])]
        figure.legend(handles=handles, title=self.title or None, loc="outside right upper")


def looks(networks: pd.DataFrame, trials: pd.DataFrame) -> Looks:
    """Names and colours of trials: a colour each for few, a shade by width or so for many.

    A control has the colour of the trial that it controls, and dashes of its kind; where there is
    one trial alone, a colour too.

    Args:
      networks: rows, with controls as trials of their own (`statistics.split_controls`).
      trials: the settings of each trial, which tell apart what the rows do not.
    """
    control = {trial: trial.partition(MARK)[2] for trial in dict.fromkeys(networks["trial"])}
    described = _described(networks, trials)
    names = _names(described)
    groups = list(dict.fromkeys(names.values()))
    # Words have no order that a shade could show, so that two kinds of marks help the colours out.
    words = described.shape[1] == 1 and all(isinstance(v, str) for v in described.iloc[:, 0])
    few = len(groups) <= (1 + words) * len(PALETTE)
    marker = {g: "os"[i // len(PALETTE) % 2] for i, g in enumerate(groups)}
    kinds = list(dict.fromkeys(filter(None, control.values())))
    of_kind = dict(zip(kinds, PALETTE[1:], strict=False))
    if few:
        colours = {g: PALETTE[i % len(PALETTE)] for i, g in enumerate(groups)}
        title, shown = "", [(colours[g], g) for g in groups]
        colour_of = {t: colours[names[t]] for t in control}
        if len(groups) == 1 and len(kinds) < len(PALETTE):
            colour_of |= {t: of_kind[kind] for t, kind in control.items() if kind}
    else:
        key = next((k for k in SHADED if k in described), described.columns[0])
        values = sorted(described[key].unique(), key=lambda v: (isinstance(v, str), v))
        shades = mpl.colormaps["viridis"].resampled(256)
        colour = {
            v: to_hex(shades(0.92 * i / max(1, len(values) - 1))) for i, v in enumerate(values)
        }
        kept = values[:: -(-len(values) // ENTRIES)]
        title, shown = _title(key), [(colour[v], _value(v)) for v in kept]
        colour_of = {t: colour[described.loc[t, key]] for t in control}
    many = len(groups) > len(PALETTE)
    entries: list[Artist] = [
        Line2D([], [], color=c, label=text, marker=marker[text] if few and many else "")
        for c, text in shown
    ]
    for kind in kinds:
        drawn = of_kind.get(kind, GREY) if len(groups) == 1 else GREY
        entries.append(Line2D([], [], color=drawn, linestyle=_dashes(kind), label=kind))
    marks, weight = (5.0, 1.2) if few else (3.0, 0.6)
    of = {
        t: Look(
            f"{names[t]}, {c}" if c else names[t],
            colour_of[t],
            _dashes(c),
            marks,
            weight,
            marker[names[t]] if few else "o",
        )
        for t, c in control.items()
    }
    return Looks(of, title, entries, few)


def _dashes(control: str) -> Any:
    """The line of a trial is unbroken, that of each kind of control broken in its own way."""
    return DASHES.get(control, "--") if control else "-"


def _described(networks: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """By trial, the columns of the rows that vary and then the settings that tell more apart."""
    rows = networks.drop_duplicates("trial").set_index("trial")[list(DESCRIPTORS)]
    bases = [trial.partition(MARK)[0] for trial in rows.index]
    # A control may be of another size, and is named as what it is held against.
    known = [b if b in rows.index else t for b, t in zip(bases, rows.index, strict=True)]
    rows = rows.loc[known].set_axis(rows.index)
    described = rows[[c for c in rows if rows[c].nunique() > 1]].astype(object)
    settings = trials.set_index("trial").reindex(bases).astype(object).set_axis(rows.index)
    settings = settings.drop(columns="training.pad", errors="ignore")  # No network depends on it.
    for key in map(str, settings):
        more = described.assign(**{key: settings[key].where(settings[key].notna(), "none")})
        if _distinct(more) > _distinct(described):
            described = more
    return described if described.shape[1] else pd.DataFrame({"trial": bases}, index=rows.index)


def _distinct(described: pd.DataFrame) -> int:
    return len({tuple(row) for row in described.to_numpy()})


def _names(described: pd.DataFrame) -> dict[str, str]:
    return {
        str(trial): ", ".join(_part(key, value) for key, value in row.items())
        for trial, row in described.iterrows()
    }


def _part(key: Any, value: Any) -> str:
    if isinstance(value, str) and key in ("trial", "dataset", "family"):
        return value
    symbol = columns(NetworkRow)[key].symbol if key in DESCRIPTORS else ""
    name = f"${symbol}$" if symbol else str(key).rpartition(".")[2].replace("_", " ")
    return f"{name} = {_value(value)}"


def _value(value: Any) -> str:
    return str(value) if isinstance(value, str | bool) else f"{value:.12g}"


def _title(key: str) -> str:
    symbol = columns(NetworkRow)[key].symbol if key in DESCRIPTORS else ""
    name = str(key).rpartition(".")[2].replace("_", " ").capitalize()
    return f"{name} ${symbol}$" if symbol else name
