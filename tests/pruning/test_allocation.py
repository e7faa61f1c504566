"""Counts per layer: exact in all, in proportion, and no layer emptied by accident."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.pruning import PruningError, competition, erk, prune, refuse_emptied, uniform

LENET = {"layers/0/kernel": (784, 300), "layers/1/kernel": (300, 100), "output/kernel": (100, 10)}
CONV = {"a/kernel": (3, 3, 3, 64), "b/kernel": (3, 3, 64, 64), "output/kernel": (256, 10)}

some_shapes = st.dictionaries(
    st.sampled_from("abcdef"),
    st.one_of(
        st.tuples(st.integers(1, 30), st.integers(1, 30)),
        st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
    ),
    min_size=1,
)


def sizes(shapes):
    return {name: math.prod(shape) for name, shape in shapes.items()}


@given(some_shapes, st.floats(0, 1), st.sampled_from([uniform, erk]), st.integers(0, 3))
def test_layers_add_up_to_the_count(shapes, density, rule, least):
    total = sum(sizes(shapes).values())
    lowest = sum(min(least, size) for size in sizes(shapes).values())
    count = max(round(density * total), lowest)
    kept = rule(shapes, count, least=least, emptied=True)
    assert sum(kept.values()) == count
    for name, size in sizes(shapes).items():
        assert min(least, size) <= kept[name] <= size


@given(some_shapes, st.floats(0, 1))
def test_uniform_is_the_same_density_to_the_weight(shapes, density):
    total = sum(sizes(shapes).values())
    kept = uniform(shapes, round(density * total), emptied=True)
    for name, size in sizes(shapes).items():
        assert abs(kept[name] - size * round(density * total) / total) < 1


def erk_by_rounds(shapes, count):
    """As RigL's code has it: layers that would be denser than dense become dense, again and again.

    Densities, in floats, before any rounding.
    """
    raw = {name: sum(shape) / math.prod(shape) for name, shape in shapes.items()}
    dense = set()
    while True:
        rest = {name: size for name, size in sizes(shapes).items() if name not in dense}
        left = count - sum(sizes(shapes)[name] for name in dense)
        scale = left / sum(raw[name] * size for name, size in rest.items()) if rest else 0
        most = max((raw[name] for name in rest), default=0)
        if scale * most <= 1:
            break
        dense |= {name for name in rest if raw[name] == most}
    return {name: 1 if name in dense else scale * raw[name] for name in shapes}


@given(some_shapes, st.floats(0.01, 1))
def test_erk_is_that_of_rigl(shapes, density):
    count = round(density * sum(sizes(shapes).values()))
    kept, expected = erk(shapes, count, emptied=True), erk_by_rounds(shapes, count)
    for name, size in sizes(shapes).items():
        assert abs(kept[name] - expected[name] * size) < 1 + 1e-6


def test_erk_by_hand():
    """LeNet-300-100 with a tenth of 266,200 weights: the output layer is dense.

    Its share would be 26,620 x 110 / (1,084 + 400 + 110) = 1,837 of 1,000; the others then share
    25,620 as 1,084 to 400: 18,714.4 and 6,905.6.
    """
    assert list(erk(LENET, 26620).values()) == [18714, 6906, 1000]
    # 3 + 3 + 3 + 64, 3 + 3 + 64 + 64, 256 + 10: one weight per side.
    assert list(erk(CONV, 473).values()) == [73, 134, 266]


def test_kernels_count_once_with_erk_and_often_without():
    """3 x 3 x 3 x 64 and 3 x 3 x 64 x 64: 73 to 134 with the kernel's sides, 67 to 128 without."""
    pair = {name: CONV[name] for name in ("a/kernel", "b/kernel")}
    assert erk(pair, 207) == {"a/kernel": 73, "b/kernel": 134}
    assert erk(pair, 195, kernel=False) == {"a/kernel": 67, "b/kernel": 128}


def test_a_least_number_comes_from_the_other_layers():
    shapes = {"big/kernel": (100, 100), "small/kernel": (2, 5)}
    assert uniform(shapes, 100, emptied=True) == {"big/kernel": 100, "small/kernel": 0}
    assert uniform(shapes, 100, least=4) == {"big/kernel": 96, "small/kernel": 4}
    assert uniform(shapes, 100, least=40) == {"big/kernel": 90, "small/kernel": 10}


def test_an_emptied_layer_is_refused_by_name():
    shapes = {"big/kernel": (100, 100), "small/kernel": (2, 5)}
    with pytest.raises(PruningError, match=r"^small/kernel would keep none of its weights: prune"):
        uniform(shapes, 100)
    with pytest.raises(PruningError, match="too few to keep 60 in each of 2 layers"):
        uniform(shapes, 60, least=60)
    with pytest.raises(PruningError, match=r"^10011 weights to keep: must be from 0 to 10010"):
        erk(shapes, 10011)
    with pytest.raises(PruningError, match=r"^b would keep none"):
        refuse_emptied({"a": 3, "b": np.array([2, 0, 1])})
    refuse_emptied({"a": 3, "b": jnp.array([2, 1])})


tied = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=18, max_size=18)


@settings(deadline=None, max_examples=60)
@given(tied, st.lists(st.booleans(), min_size=18, max_size=18), st.integers(0, 20))
def test_competing_layers_keep_what_one_sort_keeps(scores, kept, count):
    cut = {"c": slice(0, 6), "a": slice(6, 14), "b": slice(14, 18)}
    parts = {n: jnp.array(scores[s], jnp.float32) for n, s in cut.items()}
    mask = {n: jnp.array(kept[s]) for n, s in cut.items()}
    counts = jit_competition(parts, mask, jnp.int32(count), 0)
    layerwise = jit_prune(parts, mask, counts)
    together = jit_prune(parts, mask, jnp.int32(count))
    for name in cut:
        np.testing.assert_array_equal(layerwise[name], together[name])
    safe = sum(min(2, int(m.sum())) for m in mask.values())
    with_least = jit_competition(parts, mask, jnp.int32(max(count, safe)), 2)
    assert sum(int(c) for c in with_least.values()) == min(max(count, safe), sum(kept))
    assert all(int(with_least[n]) >= min(2, int(mask[n].sum())) for n in cut)


jit_competition = jax.jit(competition, static_argnums=3)
jit_prune = jax.jit(prune)


def test_ties_go_by_name_inside_of_jit_and_outside():
    scores = {"b": jnp.ones(2), "a": jnp.ones(2)}
    mask = {"b": jnp.ones(2, bool), "a": jnp.ones(2, bool)}
    for function in (prune, jit_prune):
        kept = function(scores, mask, jnp.int32(3))
        assert kept["a"].tolist() == [True, True]
        assert kept["b"].tolist() == [True, False]
