"""What a trained population's measures need beyond its weights, losses and files."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array

from capacity import training
from capacity.coded import Compressed, headline
from capacity.information.curvature import Krylov
from capacity.lottery import Round
from capacity.models import Params
from capacity.subject import Subject
from capacity.training import Weights, member_keys, members, stacked


class Trained(NamedTuple):
    """Of one network.

    Attributes:
      initial: its very initial weights, before any training or rewinding.
      curvature: of the summed training loss; None if the configuration asks for none.
      fisher: mean square of an example's gradient, by weight; None likewise.
      coded_loss: mean bits of a training label under the network that the headline file holds.
      coded_accuracy: share right, the same.
    """

    initial: Weights
    curvature: Krylov | None
    fisher: Weights | None
    coded_loss: float
    coded_accuracy: float


def trained(
    subject: Subject,
    played: Round,
    params: Params,
    weights: Sequence[Weights],
    codecs: Sequence[Sequence[Compressed]],
) -> list[Trained]:
    """Of every member; of one that diverged the numbers mean nothing.

    Args:
      params: [members, ...] that are measured, and the same as `weights`.
      codecs: the files of every member; none of a diverged one.
    """
    best = [headline(files) for files in codecs]
    decoded = [each.file.decoded if each else w for each, w in zip(best, weights, strict=True)]
    quality = training.evaluate(subject.model, stacked(decoded), subject.train, chunk=subject.chunk)
    drawn = _drawn(subject)
    curvature = _curvature(subject, played, params, drawn)
    fishers = _fishers(subject, params, drawn)
    return [
        Trained(
            initial=initial,
            curvature=Krylov(*(part[m] for part in curvature)) if curvature else None,
            fisher=fishers[m] if fishers else None,
            coded_loss=float(quality.loss[m]),
            coded_accuracy=float(quality.accuracy[m]),
        )
        for m, initial in enumerate(members(played.initial))
    ]


def _drawn(subject: Subject) -> Array | None:
    """The training examples that stand for all; None if the configuration asks for none."""
    count, examples = subject.config.curvature.examples, len(subject.dataset.train.labels)
    if not count:
        return None
    return jax.random.permutation(member_keys([0], "curvature")[0], examples)[:count]


def _fishers(subject: Subject, params: Params, drawn: Array | None) -> list[Weights] | None:
    if drawn is None:
        return None
    found = training.empirical_fishers(
        subject.model, params, subject.train, drawn, chunk=subject.chunk
    )
    return members(found)


def _curvature(
    subject: Subject, played: Round, params: Params, drawn: Array | None
) -> Krylov | None:
    settings = subject.config.curvature
    if drawn is None:
        return None
    size = sum(leaf[0].size for leaf in params.values())
    found = training.curvature(
        subject.model,
        params,
        played.mask,
        subject.train,
        drawn,
        member_keys(range(subject.config.seeds), "probes"),
        probes=settings.probes,
        steps=min(settings.steps, size),
        chunk=subject.chunk,
    )
    return jax.tree.map(np.asarray, found)
