"""One binary decision: its probability by logistic mixing, its code, and what is learnt from it.

Every context keeps a counter, whose probability is an input in the logistic domain; sets of
weights, each chosen by a context of its own, mix the inputs, and the sets' log-odds are averaged
(Mattern, 2012, 2013; the line of PAQ by Mahoney, 2005). All arithmetic is on integers.

The same function serves both directions, and writes and reads the words of constriction's range
coder (tests/coding/context/test_mixing.py compares them). What is called for every decision is
compiled into its caller.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from capacity.coding.context.logistic import (
    CHANCE_BITS,
    COUNT_LIMIT,
    COUNTER_RATE,
    LIMIT,
    SQUASH,
    STRETCH,
    TRUST,
    WEIGHT_RATE,
)
from capacity.coding.range_coder import cut_short

KINDS = 11
CONTEXTS, NARROW = 11, 5  # with predictions and without; the inputs are half as many then
SLOTS = 1024
INPUTS = 16
SETS = 4
CHOICES = 64

_REMEMBERED = 400  # decisions after which a counter forgets as fast as it learns
_SLOWEST = 300  # least learning rate of the weights, in 2^-16
_FIRST_WEIGHT = (1 << 20) // 10  # in 2^-20
_INPUT_LIMIT = 2047
_PRECISION = 24  # bits of the coder's probabilities


# Where things lie in a mixer's memory of int32. One array holds them all, as a compiled call copies
# a descriptor of every array that it is handed.
WEIGHTS = 0  # [SETS, KINDS, CHOICES, INPUTS] in 2^-20
UPDATES = WEIGHTS + SETS * KINDS * CHOICES * INPUTS  # [SETS, KINDS, CHOICES] that each had
INPUT = UPDATES + SETS * KINDS * CHOICES  # [INPUTS] log-odds; the caller sets those of no context
SLOT = INPUT + INPUTS  # [CONTEXTS] of each context, by the caller
CHOICE = SLOT + CONTEXTS  # [SETS] the weights to use, by the caller
GUESS = CHOICE + SETS  # [SETS] what each set says, in 2^-22
MEMORY = GUESS + SETS

# What a coder's state of uint64 holds: whether it decodes, the next word and the number of words,
# the width of the interval, and its lower end, or how far above that the words point.
DECODING, POSITION, END, WIDTH, VALUE = range(5)


class Mixer(NamedTuple):
    """What is learnt, and the scratch of the decision at hand.

    Attributes:
      counters: uint32 [contexts * KINDS * SLOTS], the probability of a one in 22 bits and the
        decisions seen in 10.
      memory: int32 [MEMORY], see above.
    """

    counters: np.ndarray
    memory: np.ndarray


class Coder(NamedTuple):
    """Either side of the range coder.

    Attributes:
      state: uint64 [5], see above.
      words: uint32, most significant first.
    """

    state: np.ndarray
    words: np.ndarray


def new_mixer(contexts: int) -> Mixer:
    """A mixer of so many contexts that has seen nothing."""
    memory = np.zeros(MEMORY, np.int32)
    memory[WEIGHTS:UPDATES] = _FIRST_WEIGHT
    return Mixer(np.full(contexts * KINDS * SLOTS, 1 << 31, np.uint32), memory)


def writer() -> Coder:
    """An encoder's side, which has written nothing and has no room."""
    return Coder(np.array([0, 0, 0, 2**64 - 1, 0], np.uint64), np.empty(0, np.uint32))


def with_room(coder: Coder, decisions: int) -> Coder:
    """An encoder's side with room for more decisions: none is less likely than 2^-24."""
    written = int(coder.state[POSITION])
    words = np.empty(written + decisions * _PRECISION // 32 + 1, np.uint32)
    words[:written] = coder.words[:written]
    return Coder(coder.state, words)


def written(coder: Coder) -> bytes:
    """What an encoder's side has written, ended as early as can be."""
    position, low = int(coder.state[POSITION]), int(coder.state[VALUE])
    words = np.append(coder.words[:position], np.array([low >> 32, low % 2**32], np.uint32))
    return cut_short(words, position, low, int(coder.state[WIDTH]))


def reader(words: np.ndarray) -> Coder:
    """A decoder's side, over uint32 words; behind their end come zeros."""
    high, low = [int(word) for word in [*words[:2], 0, 0][:2]]
    state = [1, 2, len(words), 2**64 - 1, high << 32 | low]
    return Coder(np.array(state, np.uint64), words)


@njit(nogil=True, cache=True, forceinline=True)
def decide(kind, contexts, wide, bit, counters, memory, state, words, table):
    """Code `bit` of a `kind` under the first `contexts` contexts, or decode it; learn; return it.

    Narrow mixing has half as many inputs and sets of weights as wide mixing.
    """
    sets = SETS if wide else SETS // 2
    for k in range(contexts):
        counter = counters[(k * KINDS + kind) * SLOTS + memory[SLOT + k]]
        odds = table[STRETCH + (counter >> 20)]
        odds *= table[TRUST + (counter & COUNT_LIMIT)]
        memory[INPUT + k] = min(max(odds >> 8, -_INPUT_LIMIT), _INPUT_LIMIT)
    total = np.int64(0)
    for s in range(sets):
        first = WEIGHTS + ((s * KINDS + kind) * CHOICES + memory[CHOICE + s]) * INPUTS
        mixed = min(max(_product(first, wide, memory) >> 20, -LIMIT), LIMIT)
        memory[GUESS + s] = table[SQUASH + mixed + LIMIT]
        total += mixed
    mean = total >> 2 if wide else total >> 1
    bit = code(bit, table[SQUASH + mean + LIMIT], state, words)

    truth = np.int64(bit) << 16
    for s in range(sets):
        choice = (s * KINDS + kind) * CHOICES + memory[CHOICE + s]
        updates = memory[UPDATES + choice]
        memory[UPDATES + choice] = min(updates + 1, 4095)
        rate = max(table[WEIGHT_RATE + updates], _SLOWEST)
        step = ((truth - (memory[GUESS + s] >> 6)) * rate) >> 8
        _learn(WEIGHTS + choice * INPUTS, wide, step, memory)
    target = (np.int64(bit) << CHANCE_BITS) - bit
    for k in range(contexts):
        at = (k * KINDS + kind) * SLOTS + memory[SLOT + k]
        counter = np.int64(counters[at])
        seen, chance = counter & COUNT_LIMIT, counter >> 10
        chance += ((target - chance) * table[COUNTER_RATE + seen]) >> 16
        counters[at] = chance << 10 | min(seen + 1, _REMEMBERED)
    return bit


# Loops of known length, as those are unrolled.
@njit(nogil=True, cache=True, forceinline=True)
def _product(first, wide, memory):
    """The inner product of the inputs and the weights from `first` on."""
    result = np.int64(0)
    for k in range(8):
        result += np.int64(memory[first + k]) * np.int64(memory[INPUT + k])
    if wide:
        for k in range(8, 16):
            result += np.int64(memory[first + k]) * np.int64(memory[INPUT + k])
    return result


@njit(nogil=True, cache=True, forceinline=True)
def _learn(first, wide, step, memory):
    """Moves the weights from `first` on by `step` (2^-24) times the inputs."""
    for k in range(8):
        memory[first + k] += (step * memory[INPUT + k] + (1 << 11)) >> 12
    if wide:
        for k in range(8, 16):
            memory[first + k] += (step * memory[INPUT + k] + (1 << 11)) >> 12


@njit(nogil=True, cache=True, forceinline=True)
def code(bit, chance, state, words):
    """Write a bit that is 1 with probability `chance`, in 2^-22, or read it; return it."""
    # constriction cuts [0, 2^24) at floor(P(0) (2^24 - 2)) + 1, and its interval in proportion.
    whole = np.int64(1) << _PRECISION
    cut = (((1 << CHANCE_BITS) - np.int64(chance)) * (whole - 2) >> CHANCE_BITS) + 1
    decoding, value = state[DECODING] == 1, state[VALUE]
    scale = state[WIDTH] >> np.uint64(_PRECISION)
    zeros = scale * np.uint64(cut)
    if value >= zeros if decoding else bit == 1:
        bit, width = np.int64(1), scale * np.uint64(whole - cut)
        value = value - zeros if decoding else value + zeros
        if not decoding and value < zeros:
            _carry(state, words)
    else:
        bit, width = np.int64(0), zeros
    if width < np.uint64(1 << 32):
        at, shift = state[POSITION], np.uint64(32)
        if decoding:
            word = np.uint64(words[at]) if at < state[END] else np.uint64(0)
            value = value << shift | word
        else:
            words[at] = value >> shift
            value <<= shift
        state[POSITION] = at + np.uint64(1)
        width <<= shift
    state[WIDTH], state[VALUE] = width, value
    return bit


@njit(nogil=True, cache=True)
def _carry(state, words):
    """Adds one to the last word that was written."""
    at, done = state[POSITION], False
    while not done:
        at -= np.uint64(1)
        words[at] += np.uint32(1)
        done = words[at] != 0
