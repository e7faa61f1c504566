"""Prequential codes of labels given inputs: bits from what networks said of labels not yet seen.

Every total is an upper bound on the information in the labels given the inputs, as a decoder that
has the inputs, the order of the examples, the seeds and this code could read it. Nothing is taken
back afterwards: what is chosen is fixed before the first label, learned from labels already coded,
or paid for by `selection_bits`. Examples that occur twice are coded twice: the second time by a
network that has seen the first, which is what the code is for.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class Tempering(NamedTuple):
    """How logits become a law of labels; constants that are fixed before any label is seen.

    Attributes:
      temperatures: a Bayesian mixture of them codes, all equally likely at first: never more than
        log2(count) + (blocks - 2) log2(1 / (1 - fresh)) bits above the best single one, among them
        1, the networks as they are, and infinity, the uniform law.
      uniform: share of the uniform law in each, so that no label costs more than
        log2(classes / uniform) bits. It costs at most log2(1 / (1 - uniform)) bits a label.
      fresh: share of the weights that is made equal again between blocks, as every block has a
        network of its own (fixed share; Herbster & Warmuth, 1998).
    """

    temperatures: tuple[float, ...] = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, math.inf)
    uniform: float = 1e-4
    fresh: float = 0.05


RAW = Tempering(temperatures=(1.0,))


class Code(NamedTuple):
    """A prequential code.

    Attributes:
      bits: of every label.
      cuts: ends of the blocks.
      weights: of the temperatures, after the last label.
    """

    bits: Float[np.ndarray, " n"]
    cuts: tuple[int, ...]
    weights: Float[np.ndarray, " temperatures"]

    @property
    def total(self) -> float:
        """Length in bits: an upper bound on the information in the labels given the inputs."""
        return math.fsum(self.bits)

    @property
    def blocks(self) -> list[float]:
        """Bits of every block; they sum to the total."""
        return [math.fsum(self.bits[a:b]) for a, b in itertools.pairwise((0, *self.cuts))]

    @property
    def variance(self) -> float:
        """Of the total over the draw of the labels, in bits^2, for the networks at hand.

        Labels are taken as independent, with one variance within each block: the length of a block
        times the variance of its bits.
        """
        spans = itertools.pairwise((0, *self.cuts))
        return sum((b - a) * float(np.var(self.bits[a:b], ddof=b - a > 1)) for a, b in spans)


def geometric_cuts(total: int, first: int = 32, ratio: float = 2.0) -> tuple[int, ...]:
    """first, first x ratio, ... rounded, and `total`: where blocks end.

    The last block is longer or shorter than its turn by up to the root of `ratio`.

    Where the loss falls as n^-a, the code is (r - 1)(1 - a) / (r^(1 - a) - 1) times that of a
    network trained anew after each label: for a = 0.6, 1.25 with r = 2 and 1.05 with r = 2^(1/4).
    """
    sizes = (round(first * ratio**i) for i in itertools.count())
    kept = itertools.takewhile(lambda size: size * math.sqrt(ratio) <= total, sizes)
    return (*dict.fromkeys(kept), total)


def block_code(
    logits: Float[np.ndarray, "coded classes"],
    labels: Int[np.ndarray, " n"],
    cuts: Sequence[int],
    tempering: Tempering = RAW,
) -> Code:
    """The code whose first block is uniform and whose others are said by their networks' logits.

    sum_i -log2 p(y_i | x_i, y before the block of i) with blocks (cuts[s], cuts[s + 1]] (Blier &
    Ollivier, 2018; Voita & Titov, 2020, section 2.2.2). The temperature is learned from the labels
    already coded, which were held back from the networks that coded them.

    Args:
      logits: of every label from cuts[0] on, by a network trained on labels before its block. Their
        width is the number of classes, whether or not all of them occur.
      cuts: strictly increasing, the last one n.

    Raises:
      ValueError: cuts, logits and labels that do not fit one another.
    """
    _check(logits, labels, cuts)
    bits = [np.full(cuts[0], math.log2(logits.shape[1]))]
    count = len(tempering.temperatures)
    weights = np.full(count, 1 / count)
    for block, (first, last) in enumerate(itertools.pairwise(cuts)):
        if block:
            weights = (1 - tempering.fresh) * weights + tempering.fresh / count
        said = logits[first - cuts[0] : last - cuts[0]]
        block_bits, weights = mixed(expert_bits(said, labels[first:last], tempering), weights)
        bits.append(block_bits)
    return Code(np.concatenate(bits), tuple(cuts), weights)


def expert_bits(
    logits: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"], tempering: Tempering
) -> Float[np.ndarray, "n temperatures"]:
    """-log2 of what each temperature's law, mixed with a little uniform, gives each label.

    A network that diverged says nothing: logits with a NaN or an infinity among them are uniform.
    """
    finite = np.isfinite(logits).all(axis=1, keepdims=True)
    logits = np.where(finite, np.asarray(logits, np.float64), 0.0)
    logits = logits - logits.max(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    uniform = tempering.uniform / logits.shape[1]

    def share(temperature: float) -> np.ndarray:
        tempered = np.exp(logits / temperature)
        return tempered[rows, labels] / tempered.sum(axis=1)

    shares = np.stack([share(temperature) for temperature in tempering.temperatures], axis=1)
    return -np.log2((1 - tempering.uniform) * shares + uniform)


def mixed(
    bits: Float[np.ndarray, "n experts"], weights: Float[np.ndarray, " experts"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " experts"]]:
    """Bits of each label under a Bayesian mixture that learns from label to label, and the weights.

    They sum to -log2 sum_e w_e 2^-L_e: at most log2(1 / w_e) above any expert's own sum L_e.
    """
    behind = np.concatenate([np.zeros((1, bits.shape[1])), np.cumsum(bits, axis=0)])
    with np.errstate(divide="ignore"):
        logs = np.log2(weights) - behind
    mixture = -np.logaddexp2.reduce(logs, axis=1)
    after = np.exp2(logs[-1] + mixture[-1])
    return np.diff(mixture), after / after.sum()


def final_bits(
    logits: Float[np.ndarray, "n classes"],
    labels: Int[np.ndarray, " n"],
    weights: Float[np.ndarray, " temperatures"],
    tempering: Tempering = RAW,
) -> Float[np.ndarray, " n"]:
    """Bits of labels under one network and a fixed mixture of temperatures.

    Nothing is learned on the way: it is what the final model says, tempered as a code was that left
    these `weights`, so that their difference compares like with like; or by `learned_weights`. For
    labels the network was trained on (L_fit) this is no code without the weights.
    """
    return -np.log2(np.exp2(-expert_bits(logits, labels, tempering)) @ weights)


def learned_weights(
    logits: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"], tempering: Tempering
) -> Float[np.ndarray, " temperatures"]:
    """Posterior weights of the temperatures after labels that the network has not seen.

    Equal ones before the first label: few labels leave a broad mixture, not one lucky temperature.
    """
    count = len(tempering.temperatures)
    return mixed(expert_bits(logits, labels, tempering), np.full(count, 1 / count))[1]


def averaged(logits: Float[np.ndarray, "members n classes"]) -> Float[np.ndarray, "n classes"]:
    """Logits of the mean of the members' predictions: one code whose model is the whole population.

    A mean of laws is a law, and costs no more than the mean of the members' bits (Jensen).
    """
    logits = np.asarray(logits, np.float64)
    logs = logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)
    return np.logaddexp.reduce(logs, axis=0) - math.log(len(logits))


def selection_bits(choices: int) -> float:
    """Bits that name one of so many candidates, to be added where the best was picked afterwards.

    Without naming it: the mixture `mixture_bits` of all their codes.
    """
    return math.log2(choices)


def mixture_bits(totals: Sequence[float]) -> float:
    """-log2 of the mean of 2^-L over candidate codes: one code, at most log2(count) over the best.

    Every label is coded by all candidates, weighted by how well they have coded those before it.
    """
    return math.log2(len(totals)) - float(np.logaddexp2.reduce(-np.asarray(totals, np.float64)))


def first_epoch_code(
    bits: Float[np.ndarray, "*members"], coded: int, train_size: int, class_count: int
) -> Float[np.ndarray, "*members"]:
    """Bits of the first-epoch online code of all N labels, which falls out of any training.

    Losses are taken before each update, and the first epoch meets each example once: so their sum
    is a prequential code whose blocks are the batches (Donoway et al., 2026, definition 3.2). What
    whole batches leave over, or a training that ended before its first epoch did, is coded
    uniformly, log2 K each. An upper bound without a first uniform block, as the untrained network
    codes the first batch, and without a uniform share, so that a single label may cost any number
    of bits. Networks must see neither dropout nor shifted inputs in training.

    Args:
      bits: of the labels in whole batches, summed; not finite of a network that diverged.
      coded: how many labels that are, at most N.
      train_size: N.
      class_count: K.
    """
    uniform = (train_size - coded) * math.log2(class_count)
    return np.asarray(np.asarray(bits, np.float64) + uniform)


def _check(logits: np.ndarray, labels: np.ndarray, cuts: Sequence[int]) -> None:
    if not cuts or cuts[0] < 1 or any(a >= b for a, b in itertools.pairwise(cuts)):
        raise ValueError(f"cuts {tuple(cuts)}: must start at 1 or more and increase")
    if cuts[-1] != len(labels) or len(logits) != len(labels) - cuts[0]:
        raise ValueError(
            f"{len(labels)} labels, {len(logits)} of them with logits, cuts from {cuts[0]} to "
            f"{cuts[-1]}: every label behind the first block needs logits"
        )
