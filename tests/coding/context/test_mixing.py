"""Single decisions: constriction is the reference for the words, arithmetic for the rest."""

import numpy as np
import pytest
from constriction import stream
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.coding.context.logistic import CHANCE_BITS, tables
from capacity.coding.context.mixing import (
    CHOICE,
    INPUT,
    SETS,
    SLOT,
    VALUE,
    WIDTH,
    code,
    decide,
    new_mixer,
    reader,
    with_room,
    writer,
    written,
)
from capacity.coding.range_coder import shortest, words_of

ONE = 1 << CHANCE_BITS


def read(words, chances):
    coder = reader(words)
    return [code(0, chance, *coder) for chance in chances]


def wrote(bits, chances):
    coder = with_room(writer(), len(bits))
    for bit, chance in zip(bits, chances, strict=True):
        assert code(bit, chance, *coder) == bit
    return written(coder)


def by_constriction(bits, chances):
    encoder = stream.queue.RangeEncoder()
    model = stream.model.Bernoulli(perfect=False)
    encoder.encode(np.array(bits, np.int32), model, np.array(chances) / ONE)
    return encoder


decisions = st.lists(
    st.tuples(st.integers(0, 1), st.integers(1, 50) | st.integers(1, ONE - 1) | st.just(ONE - 1)),
    min_size=1,
    max_size=300,
)


@settings(deadline=None, max_examples=200)
@given(decisions)
def test_what_constriction_writes_is_read(pairs):
    bits, chances = zip(*pairs, strict=True)
    encoder = by_constriction(bits, chances)
    words = encoder.get_compressed()
    decoder = stream.queue.RangeDecoder(words)
    model = stream.model.Bernoulli(perfect=False)
    assert decoder.decode(model, np.array(chances) / ONE).tolist() == list(bits)
    assert read(words, chances) == list(bits)
    assert wrote(bits, chances) == shortest(encoder)
    assert read(words_of(shortest(encoder)), chances) == list(bits)


def test_a_carry_runs_through_many_words():
    # Halves first, and then so many likely zeros that the lower end is 0, 1, 1, ... until a one.
    bits = [0] + [1] * 200 + [0] * 30
    chances = [ONE // 2] * 201 + [1] * 30
    for last in range(231):
        some, odds = [*bits[:last], 1], [*chances[:last], ONE - 1]
        assert wrote(some, odds) == shortest(by_constriction(some, odds))


@settings(deadline=None, max_examples=50)
@given(decisions, st.integers(1, 300))
def test_more_room_loses_nothing(pairs, first):
    coder = with_room(writer(), first)
    for bit, chance in pairs[:first]:
        code(bit, chance, *coder)
    coder = with_room(coder, len(pairs))
    for bit, chance in pairs[first:]:
        code(bit, chance, *coder)
    assert written(coder) == wrote(*zip(*pairs, strict=True))


@pytest.mark.parametrize("chance", [1, 2, 12345, ONE // 2, ONE - 2, ONE - 1])
def test_the_cut_of_the_interval_is_that_of_constriction(chance):
    # After one 0 the width is the first one's 2^-24, 2^40 - 1, times the part of the zeros.
    encoder = by_constriction([0], [chance])
    part = ((ONE - chance) * (2**24 - 2) >> CHANCE_BITS) + 1
    assert encoder.pos() == (0, (0, ((2**64 - 1) >> 24) * part))


def decided(bits, contexts, *, wide):
    """Probabilities of a one, in bits' order, under contexts that never change."""
    counters, memory = new_mixer(contexts)
    memory[SLOT : SLOT + contexts] = 0
    memory[CHOICE : CHOICE + SETS] = 0
    state, words = writer()
    chances = []
    for bit in bits:
        state[WIDTH], state[VALUE] = 2**64 - 1, 0  # wide enough for one more without a word
        assert decide(0, contexts, wide, bit, counters, memory, state, words, tables()) == bit
        part = int(state[WIDTH]) // ((2**64 - 1) >> 24) / 2**24
        chances.append(part if bit else 1 - part)
    return np.array(chances)


@pytest.mark.parametrize("wide", [False, True])
def test_nothing_seen_is_even_odds(wide):
    assert decided([1], 5, wide=wide)[0] == 0.5


@pytest.mark.parametrize("wide", [False, True])
def test_contexts_learn_the_share_of_ones(wide):
    bits = (np.random.default_rng(0).random(4000) < 0.1).astype(int).tolist()
    chances = decided(bits, 10 if wide else 5, wide=wide)
    assert abs(chances[-500:].mean() - 0.1) < 0.03
    cost = -np.log2(np.where(bits, chances, 1 - chances)).sum()
    entropy = -4000 * (0.1 * np.log2(0.1) + 0.9 * np.log2(0.9))
    assert cost < 1.05 * entropy


def test_after_one_decision_the_counter_moves_by_its_rate():
    counters, memory = new_mixer(1)
    decide(0, 1, False, 1, counters, memory, *writer(), tables())
    # From 2^21 by (2^22 - 1 - 2^21) / 1.6, and one decision seen; the rate is 40960 / 65536.
    expected = 2**21 + ((2**22 - 1 - 2**21) * 40960 >> 16)
    assert counters[0] == expected << 10 | 1


def test_weights_move_along_their_inputs():
    counters, memory = new_mixer(1)
    memory[INPUT + 1] = 64
    before = memory.copy()
    decide(0, 1, False, 1, counters, memory, *writer(), tables())
    # Input 64 with weight 1/10 is log-odds of 6; the first rate is 655 / 65536.
    missed = (1 << 16) - (int(tables()[6 + len(range(-3071, 0))]) >> 6)
    step = missed * 655 >> 8
    assert memory[1] - before[1] == (step * 64 + 2048) >> 12
    assert memory[2] == before[2]
