"""The ledger: every quantity of one network in bits of the same N training labels, side by side.

An error is a standard error over the draw of the labels, for the
networks at hand; that over seeds is in the rows themselves. What cannot be had is empty, never 0,
and `note` says why.
"""

from dataclasses import dataclass

from capacity.rows.columns import Named, column

_INFORMATION = "Blier & Ollivier 2018, section 3.4"
_PREQUENTIAL = f"{_INFORMATION}; Voita & Titov 2020, section 2.2.2"
_SURPLUS = "Whitney et al. 2020, arXiv:2009.07368"
_EXCESS = "Donoway et al. 2026, definition 3.2"
_MEMORY = "Friedland et al. 2018, arXiv:1810.02328"


@dataclass(frozen=True, kw_only=True)
class LedgerRow(Named):
    """The account of one network.

    The prequential code is that of the seed's dense learner and stands in all of its rounds: it
    says what the labels hold given the inputs. A pruned network has bits of its own in every line
    from `fit_bits` on, so that `weight_information` is what it holds of that same code. A learner
    that is slow or too small pays for labels before it has learned what its weights say of them, so
    that information may come out above any capacity. Capacities are by the weights that remain; the
    measured one is of the dense network alone.
    """

    uniform_bits: float = column("bits", r"N\log_2 K", "labels under a uniform code", "exact")
    label_bits: float = column(
        "bits",
        r"N\,H(Y)",
        "labels by their frequencies: the least of a code that is blind to the inputs",
        "estimate",
        "Shannon 1948",
    )
    noise_floor: float | None = column(
        "bits", r"N\,H(Y|X)", "label noise that we injected: the least of any code", "exact"
    )

    prequential_bits: float | None = column(
        "bits",
        r"L_\mathrm{preq}",
        "labels given the inputs: block code, tempered, by the seed's dense learner",
        "upper bound",
        _PREQUENTIAL,
    )
    prequential_error: float | None = column("bits", "", "its standard error", "estimate")
    first_epoch_bits: float | None = column(
        "bits",
        r"L_\mathrm{online}",
        "the same by the losses before each update of the first epoch of the training itself; "
        "labels beyond its whole batches uniform. After round 0 it is of labels given the mask "
        "(and rewound weights), which have seen them",
        "upper bound",
        _EXCESS,
    )
    surplus_bits: float | None = column(
        "bits",
        r"\mathrm{SDL}",
        "surplus description length: what blocks of the code cost above the network's validation "
        "loss a label, while they do",
        "estimate",
        _SURPLUS,
    )
    sample_complexity: int | None = column(
        "examples",
        r"m_\epsilon",
        "labels after which a block of the code costs no more than that loss a label, at most one "
        "block too many; empty where none does",
        "upper bound",
        _SURPLUS,
    )
    fit_bits: float | None = column(
        "bits", r"L_\mathrm{fit}", "what the network leaves of its training labels", "measured"
    )
    weight_information: float | None = column(
        "bits",
        "I_w",
        "information in the weights: prequential bits less fit bits",
        "estimate",
        _INFORMATION,
    )
    weight_information_error: float | None = column("bits", "", "its standard error", "estimate")
    generalising_bits: float | None = column(
        "bits",
        r"\mathrm{EDL}",
        "excess description length: prequential bits less N times the loss on test labels of the "
        "training labels' law, noise included, by tempered predictions; may be below 0",
        "estimate",
        _EXCESS,
    )
    generalising_error: float | None = column("bits", "", "its standard error", "estimate")
    memorised_bits: float | None = column(
        "bits",
        r"I_w - \mathrm{EDL}",
        "rest of the information in the weights: N times that test loss less fit bits",
        "estimate",
        _EXCESS,
    )
    memorised_error: float | None = column("bits", "", "its standard error", "estimate")
    known_bits: float | None = column(
        "bits",
        r"\mathrm{mem}_U",
        "by which the network knows single labels better than the prequential code did, summed",
        "lower bound",
        "Morris et al. 2025, arXiv:2505.24832",
    )

    coded_bits: int | None = column(
        "bits", "L_w", "the compressed file: 8 times its bytes", "upper bound"
    )
    coded_fit_bits: float | None = column(
        "bits",
        r"\hat L_\mathrm{fit}",
        "what the network decoded from that file leaves of the training labels",
        "measured",
    )
    two_part_bits: float | None = column(
        "bits",
        r"L_w + \hat L_\mathrm{fit}",
        "two-part code of the labels: the file, then what it leaves",
        "upper bound",
        "Rissanen 1978; Blier & Ollivier 2018",
    )
    search_bits: float | None = column(
        "bits",
        r"\log_2 M",
        "naming its trial among the M of its search, due where it is chosen for what it measured; "
        "empty where there was no search",
        "upper bound",
        "Rissanen 1978",
    )

    memory_capacity: int = column(
        "bits", r"C_\mathrm{MEC}", "memory-equivalent capacity, previous layer", "estimate", _MEMORY
    )
    memory_capacity_running: int = column(
        "bits",
        r"C_\mathrm{MEC}'",
        "memory-equivalent capacity, running minimum",
        "estimate",
        _MEMORY,
    )
    memory_capacity_input: int = column(
        "bits",
        r"C_\mathrm{MEC}''",
        "memory-equivalent capacity, running minimum from the input width on (TFMeter)",
        "estimate",
        _MEMORY,
    )
    threshold_bits: int = column(
        "bits",
        r"2 P_\mathrm{eff}",
        "2 per effective weight, as of one threshold unit",
        "estimate",
        "Cover 1965",
    )
    float32_bits: int = column("bits", "32 P", "the weights stored in float32", "upper bound")
    measured_capacity: float | None = column(
        "bits",
        "C",
        "random labels that the dense architecture was found to hold; see capacities.csv",
        "measured",
        "Morris et al. 2025, arXiv:2505.24832",
    )

    fill_memory: float | None = column(
        "", r"I_w/C_\mathrm{MEC}", "fill by the memory-equivalent capacity", "estimate"
    )
    fill_threshold: float | None = column(
        "", r"I_w/2 P_\mathrm{eff}", "fill by 2 bits per effective weight", "estimate"
    )
    fill_measured: float | None = column(
        "", "I_w/C", "fill by the measured capacity; of dense networks", "estimate"
    )
    storage_redundancy: float | None = column(
        "",
        "L_w/I_w",
        "coded bits per bit of information; empty where that is not above 0",
        "estimate",
    )
    excess_bits: float | None = column(
        "bits",
        r"L_\mathrm{preq} - N\,H(Y|X)",
        "prequential bits above the noise floor",
        "upper bound",
    )
    compression_gain: float | None = column(
        "",
        r"1 - L_\mathrm{preq}/N\,H(Y)",
        "share of the labels' entropy that the inputs save",
        "lower bound",
    )
    note: str | None = column("", "", "why what is empty is empty")
