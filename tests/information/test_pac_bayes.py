"""The bound on errors: by hand, against a peer's numbers, and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.information import error_bound, kl_inverse, message_bits, two_part_bits


def divergence(q, p):
    parts = [a * math.log(a / b) for a, b in ((q, p), (1 - q, 1 - p)) if a > 0]
    return math.fsum(parts)


@given(st.floats(0, 0.999), st.floats(1e-6, 20))
def test_the_inverse_undoes_the_divergence(share, distance):
    p = kl_inverse(share, distance)
    assert share <= p <= 1
    if p < 1 - 1e-9:
        assert divergence(share, p) == pytest.approx(distance, rel=1e-5, abs=1e-9)


def test_a_message_by_hand():
    """100 bytes: 800 bits; 100 has 7 digits, 7 has 3: 6 + 2 x 2 + 1 = 11 bits; 2 of 4 codecs."""
    assert message_bits(100, choices=4) == 800 + 11 + 2
    assert message_bits(1) == 8 + 1
    assert message_bits(2) == 16 + 4


def test_lengths_are_a_prefix_code():
    """Kraft: sum over lengths of 2^-(bits that name it) is below 1, and nearly 1."""
    kraft = sum(2.0 ** -(message_bits(size) - 8 * size) for size in range(1, 1 << 16))
    assert 0.7 < kraft < 1


def test_a_bound_by_hand():
    """Without errors kl is -ln(1 - p): 1 - e^-c, c = (10 ln 2 + ln 20) / 1000."""
    found = error_bound(0.0, 1000, 10.0)
    assert found == pytest.approx(1 - math.exp(-(10 * math.log(2) + math.log(20)) / 1000))


def test_it_agrees_with_a_peer():
    """pactl's Seeger bound of 10 kbit, m + 2 log2 m, error 0.02 of 60 000 examples is 0.1662."""
    nats = (10_000 + 2 * math.log2(10_000)) * math.log(2)
    seeger = math.log(2 * math.sqrt(60_000) / 0.05)
    assert kl_inverse(0.02, (nats + seeger) / 60_000) == pytest.approx(0.1662, abs=5e-5)
    # A posterior on one network needs less.
    assert error_bound(0.02, 60_000, nats / math.log(2)) == pytest.approx(0.1661, abs=5e-5)


def test_it_holds_as_often_as_it_says():
    """1024 networks of ten bits each, all of true error 0.3: all are below the bound at once."""
    draw = np.random.default_rng(0)
    failures = 0
    for _ in range(300):
        best = draw.binomial(200, 0.3, 1024).min() / 200
        failures += error_bound(best, 200, 10.0, delta=0.2) < 0.3
    assert failures / 300 <= 0.2
    assert failures > 0  # and it is not loose by orders of magnitude


def test_more_bits_and_more_errors_bound_less():
    assert error_bound(0.1, 1000, 100.0) < error_bound(0.1, 1000, 200.0) < 1
    assert error_bound(0.1, 1000, 100.0) < error_bound(0.2, 1000, 100.0)
    assert error_bound(0.1, 1000, 1e9) == 1
    assert error_bound(1.0, 1000, 100.0) == 1


def test_two_parts_by_hand():
    """Ten bytes and 50 labels at 0.2 bits."""
    assert two_part_bits(10, 0.2, 50) == 90
    for loss in (math.inf, math.nan):
        with pytest.raises(ValueError, match="have no code"):
            two_part_bits(10, loss, 50)


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match=r"share = 1\.5"):
        kl_inverse(1.5, 0.1)
    with pytest.raises(ValueError, match="share = nan"):
        error_bound(math.nan, 10, 1.0)
    with pytest.raises(ValueError, match="delta = 0"):
        error_bound(0.5, 10, 1.0, delta=0.0)
    with pytest.raises(ValueError, match="size = 0"):
        message_bits(0)
