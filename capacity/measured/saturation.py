"""What was seen of a network's layers while it trained, as rows and as spectra to keep."""

import io
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import jax
import numpy as np

from capacity.lottery import Round
from capacity.models import is_linear
from capacity.rows.saturation import LayerUse, SaturationRow
from capacity.saturation import RANGES, Report
from capacity.subject import Subject

NO_USE = LayerUse(**dict.fromkeys(field.name for field in fields(LayerUse)))
_UNITS = ("dead", "dormant", "firing", "firing_entropy")
_DIRECTIONS = ("saturation", "effective_rank", "stable_rank", "participation_ratio")


def saturation_rows(subject: Subject, played: Round, seed: int) -> list[SaturationRow]:
    """A row per evaluation, layer and place of the member `seed`."""
    every = subject.config.training.evaluate_every
    bounded = subject.config.model.activation in RANGES
    return [
        SaturationRow(
            trial=subject.trial,
            seed=seed,
            round=played.number,
            control=played.control,
            layer=layer,
            place=place,
            step=(i + 1) * every,
            width=report.spectrum.shape[-1],
            samples=int(report.samples[i]),
            enough=bool(report.enough[i]),
            **_figures(report, i, place == "after", bounded and not is_linear(layer)),
        )
        for place, layer, report in _reports(played, seed)
        for i in range(subject.evaluations)
    ]


def spectra(played: Round, seed: int) -> bytes | None:
    """Eigenvalues [evaluations, width] by place/layer as an .npz file; None where none was seen."""
    arrays = {f"{place}/{layer}": r.spectrum for place, layer, r in _reports(played, seed)}
    if not arrays:
        return None
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def layer_use(played: Round, seed: int, evaluation: int) -> dict[str, LayerUse]:
    """By kernel what its layer used at that evaluation; of no layer where none was seen."""
    found: dict[str, dict[str, Any]] = {}
    for place, layer, report in _reports(played, seed):
        figures = _figures(report, evaluation, place == "after", bounded=False)
        own = found.setdefault(f"{layer}/kernel", {})
        if place == "before":
            own |= {name: figures[name] for name in _DIRECTIONS}
        else:
            own |= {"saturation_after": figures["saturation"]}
            own |= {name: figures[name] for name in ("dead", "dormant", "firing_entropy")}
    return {kernel: replace(NO_USE, **figures) for kernel, figures in found.items()}


def _reports(played: Round, seed: int) -> Iterator[tuple[str, str, Report]]:
    """(place, layer, report with fields [evaluations, ...]), on the host."""
    for place, layers in played.state.watched._asdict().items():
        for layer, report in layers.items():
            yield place, layer, jax.tree.map(lambda leaf: np.asarray(leaf[seed]), report)


def _figures(report: Report, i: int, units: bool, bounded: bool) -> dict[str, Any]:
    finite = bool(np.isfinite(report.spectrum[i]).all())
    shown = {*_DIRECTIONS, *(_UNITS if units else ())} if finite else set()
    if finite and units and bounded:
        shown.add("extreme")
    figures: dict[str, Any] = {
        name: float(getattr(report, name)[i]) if name in shown else None
        for name in (*_DIRECTIONS, *_UNITS, "extreme")
    }
    return figures | {"dimension": int(report.dimension[i]) if finite else None}
