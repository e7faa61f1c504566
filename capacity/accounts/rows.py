"""The rows of the ledger: each network of a round in bits of the same training labels.

The residual of the training labels is what the network itself says of them, but test labels are
tempered by what the validation labels teach: L_fit asks what the weights hold, whoever reads them,
and N L_test what of it helps with unseen labels once over-confidence is off. So random labels have
an excess description length of 0 and memorised bits of N log2 K - NLL, which is what the measured
capacity is the most of. Training, validation and test labels are of one law, noise included.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from capacity import theory, training
from capacity.accounts.codes import LAW, LabelCodes
from capacity.information import (
    Code,
    Ledger,
    final_bits,
    first_epoch_code,
    label_losses,
    learned_weights,
    ledger,
    memorised_bits,
    sample_complexity,
    surplus_description_length,
)
from capacity.lottery import Round
from capacity.measured import Measured
from capacity.models import is_kernel, is_output, layer_outputs, layer_parameters
from capacity.rows.ledger import LedgerRow
from capacity.subject import Subject
from capacity.training import Examples, Weights, stacked


class Account(NamedTuple):
    """The ledger of one network and the bits of single labels that it knows beyond the code."""

    ledger: Ledger
    known: float


def ledger_rows(
    subject: Subject,
    played: Round,
    networks: Sequence[Measured],
    codes: LabelCodes,
    capacity: float | None,
) -> list[LedgerRow]:
    """A row per network of a round.

    Args:
      networks: all seeds in order.
      codes: of each seed's labels.
      capacity: measured, of the dense architecture; None where it was not.
    """
    accounts = _accounts(subject, networks, codes.codes)
    return [
        _row(subject, played, network, codes, account, capacity)
        for network, account in zip(networks, accounts, strict=True)
    ]


def _row(
    subject: Subject,
    played: Round,
    network: Measured,
    codes: LabelCodes,
    account: Account | None,
    capacity: float | None,
) -> LedgerRow:
    card, floor = subject.card, subject.dataset.conditional_entropy
    count, best = card.examples, network.best
    code = codes.codes[network.seed] if codes.codes else None
    held = account.ledger if account else None
    information = held.weights.value if held else None
    rules = rule_capacities(subject, network.mask)
    goal = network.validation.loss
    measured = capacity if played.number == 0 else None
    coded = 8 * len(best.file.content) if best else None
    coded_loss = network.network.coded_train_loss
    noise_floor = None if floor is None else count * floor
    return LedgerRow(
        trial=subject.trial,
        seed=network.seed,
        round=played.number,
        control=played.control,
        uniform_bits=card.uniform_label_bits,
        label_bits=card.label_bits,
        noise_floor=noise_floor,
        prequential_bits=code.total if code else None,
        prequential_error=math.sqrt(code.variance) if code else None,
        first_epoch_bits=_first_epoch(subject, played, network.seed),
        surplus_bits=surplus_description_length(code, goal) if code and goal is not None else None,
        sample_complexity=sample_complexity(code, goal) if code and goal is not None else None,
        fit_bits=None if network.train.loss is None else count * network.train.loss,
        weight_information=information,
        weight_information_error=held.weights.standard_error if held else None,
        generalising_bits=held.generalising.value if held else None,
        generalising_error=held.generalising.standard_error if held else None,
        memorised_bits=held.memorised.value if held else None,
        memorised_error=held.memorised.standard_error if held else None,
        known_bits=account.known if account else None,
        coded_bits=coded,
        coded_fit_bits=None if coded_loss is None else count * coded_loss,
        two_part_bits=network.network.two_part_bits,
        search_bits=None,  # A trial does not know what others there are; the desk does.
        memory_capacity=rules.previous,
        memory_capacity_running=rules.running,
        memory_capacity_input=rules.input,
        threshold_bits=rules.threshold,
        float32_bits=rules.float32,
        measured_capacity=measured,
        fill_memory=_ratio(information, rules.previous),
        fill_threshold=_ratio(information, rules.threshold),
        fill_measured=_ratio(information, measured),
        storage_redundancy=_ratio(coded, information),
        excess_bits=code.total - noise_floor if code and noise_floor is not None else None,
        compression_gain=1 - code.total / card.label_bits if code and card.label_bits else None,
        note=_note(subject, network, codes, information),
    )


def rule_capacities(subject: Subject, mask: Weights) -> theory.RuleCapacities:
    """What the weights that remain could hold by each rule.

    Of a softmax over K classes, a hidden unit all of whose K output weights remain has one that no
    probability depends on, and so have the biases; for a dense network that is 1 / K of the layer.
    """
    kept = {name: int(m.sum()) for name, m in mask.items()}
    parameters = list(layer_parameters(subject.model, kept).values())
    (output,) = (m for n, m in mask.items() if is_output(n) and is_kernel(n))
    idle = int(output.all(axis=-1).sum()) + 1
    outputs = list(layer_outputs(subject.model).values())
    inputs = math.prod(subject.model.input_shape)
    return theory.rule_capacities(parameters, outputs, inputs, sum(parameters) - idle)


def _accounts(
    subject: Subject, networks: Sequence[Measured], codes: list[Code] | None
) -> list[Account | None]:
    if codes is None or len(subject.noisy_test.labels) < 2:
        return [None] * len(networks)
    params = stacked([network.weights for network in networks])

    def said(split: Examples) -> np.ndarray:
        count = len(split.labels)
        return training.logits(subject.model, params, split, 0, count, chunk=subject.chunk)

    answers = zip(
        *(said(each) for each in (subject.train, subject.validation, subject.noisy_test)),
        strict=True,
    )
    return [
        None if network.best is None else account(subject, code, *logits)
        for network, code, logits in zip(networks, codes, answers, strict=True)
    ]


def account(
    subject: Subject, code: Code, fit: np.ndarray, validation: np.ndarray, test: np.ndarray
) -> Account:
    """The account of one network by its logits [n, classes] of the splits' examples."""
    data = subject.dataset
    weights = learned_weights(validation, data.validation.labels, LAW)
    left = label_losses(fit, data.train.labels)
    tested = final_bits(test, data.noisy_test.labels, weights, LAW)
    return Account(ledger(code, left, tested), memorised_bits(code.bits, left))


def _first_epoch(subject: Subject, played: Round, seed: int) -> float | None:
    settings, count = subject.config.training, subject.card.examples
    steps = subject.evaluations * settings.evaluate_every
    coded = min(steps, count // settings.batch_size) * settings.batch_size
    bits = np.asarray(played.state.first_epoch[seed])
    total = float(first_epoch_code(bits, coded, count, subject.dataset.class_count))
    return total if math.isfinite(total) else None


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or below is None or below <= 0 else above / below


def _note(
    subject: Subject,
    network: Measured,
    codes: LabelCodes,
    information: float | None,
) -> str | None:
    floor = subject.dataset.conditional_entropy
    said = [
        "" if network.best else "the loss became infinite or NaN",
        f"noise floor {subject.dataset.noise}" if floor is None else "",
        codes.note,
        "" if len(subject.noisy_test.labels) > 1 else "too few test labels for an account",
        "" if information is None or information > 0 else "no redundancy over no information",
    ]
    return "; ".join(filter(None, said)) or None
