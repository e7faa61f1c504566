"""The rate model: a slow copy of it, its worth against entropy, and the gradient it trains with."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.coding.rate import prices, rate
from capacity.information.entropy import plugin_entropy


def slow(symbols):
    """Length and first prices, weight by weight, in double precision."""
    present = symbols != 0
    share = (present.sum() + 0.5) / (symbols.size + 1)
    beyond = (np.abs(symbols).sum() - present.sum() + 0.5) / (np.abs(symbols).sum() + 1)
    bound = np.log2(2 * symbols.size)
    length, first = 0.0, np.zeros(symbols.shape)
    for i, j in np.ndindex(symbols.shape):
        odds = -np.log2(share / (1 - share))
        for line in (np.delete(present[i], j), np.delete(present[:, j], i)):
            odds += np.log2((line.sum() + share) / ((~line).sum() + 1 - share))
        odds = np.clip(odds, -bound, bound)
        first[i, j] = max(0, 1 - np.log2(1 - beyond) - odds)
        if present[i, j]:
            levels = -(abs(symbols[i, j]) - 1) * np.log2(beyond) - np.log2(1 - beyond)
            length += np.log2(1 + 2**-odds) + 1 + levels
        else:
            length += np.log2(1 + 2**odds)
    return length, first


def sparse(rows, columns, seed=0):
    """Integers as fine-tuning leaves them: rows and columns differ, most weights are zero."""
    draw = np.random.default_rng(seed)
    share = np.outer(draw.beta(0.3, 1, rows), draw.beta(0.3, 1, columns))
    size = draw.geometric(0.7, (rows, columns)) * draw.choice([-1, 1], (rows, columns))
    return np.where(draw.random((rows, columns)) < share, size, 0)


@pytest.mark.parametrize("shape", [(12, 30), (1, 40), (40, 1)])
def test_the_rate_is_that_of_the_definition(shape):
    symbols = sparse(*shape)
    length, first = slow(symbols)
    array = jnp.asarray(symbols, jnp.float32)
    np.testing.assert_allclose(rate(array), length, rtol=1e-5)
    np.testing.assert_allclose(prices(array).first, first, rtol=1e-4, atol=1e-5)


def test_a_vector_by_hand():
    """Four weights, one of them -1: the others see one in three, and it sees none.

    Share 1.5 / 5 = 0.3; a column of one weight knows only the share. Odds of the zeros:
    (1 + 0.3) / (2 + 0.7); of the -1 0.3 / 3.7, but no worse than 1 / (2 * 4). Magnitude:
    (1 - 1 + 0.5) / 2 go on, so stopping costs -log2 0.75; the sign one bit.
    """
    zeros = 3 * np.log2(1 + 1.3 / 2.7)
    one = np.log2(1 + 8) + 1 - np.log2(0.75)
    np.testing.assert_allclose(rate(jnp.asarray([[0.0, -1, 0, 0]])), zeros + one, rtol=1e-5)


def test_a_row_of_one_kind_costs_its_entropy_and_what_learning_costs():
    """200 weights, 40 of them +-1: never below the plug-in entropy, above it by a few log2 n."""
    symbols = np.zeros(200)
    symbols[:20], symbols[20:40] = 1, -1
    bits = float(rate(jnp.asarray(symbols, jnp.float32)[None]))
    entropy = 200 * float(plugin_entropy(np.asarray([160, 20, 20])))
    assert entropy <= bits <= entropy + 2 * np.log2(200)


def test_order_and_orientation_are_of_no_account():
    symbols = sparse(9, 17).astype(np.float32)
    draw = np.random.default_rng(1)
    moved = symbols[draw.permutation(9)][:, draw.permutation(17)]
    for other in (moved, symbols.T, -symbols):
        np.testing.assert_allclose(rate(jnp.asarray(other)), rate(jnp.asarray(symbols)), rtol=1e-5)


def test_dead_rows_cost_next_to_nothing_and_to_wake_one_costs_most():
    symbols = np.zeros((200, 50), np.float32)
    symbols[:40] = sparse(40, 50, seed=3) + np.eye(40, 50)
    alone, dead = rate(jnp.asarray(symbols[:40])), rate(jnp.asarray(symbols))
    assert dead - alone < 1.5 * 160
    first = np.asarray(prices(jnp.asarray(symbols)).first)
    assert first[40:].min() > first[:40].mean()


def test_the_gradient_is_the_price_of_the_next_level_away_from_zero():
    symbols = sparse(6, 8).astype(np.float32)
    symbols[2, 3], symbols[4, 1] = 0, 3
    latent = symbols + np.float32(0.25) * np.where(symbols > 0, 1, -1)
    latent[0, 0] = 0
    price = prices(jnp.asarray(np.round(latent)))
    found = np.asarray(jax.grad(lambda x: 3 * rate(x))(jnp.asarray(latent)))
    np.testing.assert_allclose(found[2, 3], -3 * price.first[2, 3], rtol=1e-6)  # latent -0.25
    np.testing.assert_allclose(found[4, 1], 3 * price.further, rtol=1e-6)  # latent 3.25
    assert found[0, 0] == 0
    assert np.all(np.asarray(price.first) >= 0)


@pytest.mark.parametrize("fill", [0.0, 1.0, -2.0])
def test_tensors_of_one_value_have_finite_bits(fill):
    array = jnp.full((7, 5), fill)
    bits, slope = jax.value_and_grad(rate)(array)
    assert np.isfinite(bits)
    assert np.all(np.isfinite(np.asarray(slope)))
    assert bits < 3.5 * 35
