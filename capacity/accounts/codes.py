"""The block code of a trial's labels, by the dense learner of every seed."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from capacity import training, updates
from capacity.information import Code, Tempering, block_code, geometric_cuts
from capacity.subject import Progress, Subject
from capacity.training import Budget, Recipe, member_keys, stage_steps

LAW = Tempering()
"""How logits of a code and of a test become laws of labels: fixed before any label is seen."""


class LabelCodes(NamedTuple):
    """The code of each seed, or None and the sentence that says why there is none."""

    codes: list[Code] | None
    note: str = ""


def label_codes(subject: Subject, progress: Callable[[Progress], None] | None = None) -> LabelCodes:
    """The labels of the training split, coded block after block by networks that learn them.

    A seed's learner starts from the weights that its network starts from, but is trained by the
    recipe of the code (`Config.prequential`): a training set that grows, the update of the trial at
    a constant rate, averaged weights. It is the architecture and the update that are coded with,
    not the trained network: no row of a trial needs to wait for it, and none changes it.
    """
    settings, config = subject.config.prequential, subject.config
    labels = subject.dataset.train.labels
    if not settings.on:
        return LabelCodes(None, "prequential.epochs = 0: no code was made")
    cuts = geometric_cuts(len(labels), settings.first, settings.ratio)
    if len(cuts) < 2:
        return LabelCodes(None, f"{len(labels)} labels are no more than the first block of a code")
    batch = settings.batch_size or config.training.batch_size
    budget = Budget(settings.epochs, settings.power)
    total = sum(stage_steps(cuts, budget, batch))

    def show(coded: int, done: int) -> None:
        if progress is not None:
            progress(Progress(0, "prequential", done, total, None, None))

    seeds = range(config.seeds)
    asked = training.ask(
        subject.model,
        Recipe(updates.rule(config.training, batch, "constant"), settings.shift),
        updates.rates(config.training, total),
        budget,
        cuts,
        subject.train,
        training.initial(subject.model, member_keys(seeds, "initial")),
        member_keys(seeds, "order/prequential"),
        chunk=subject.chunk,
        progress=show,
    )
    codes = [block_code(np.asarray(said), labels, cuts, LAW) for said in asked.logits]
    return LabelCodes(codes)
