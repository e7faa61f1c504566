"""V-information: formulas by hand, scikit-learn's logistic regression, and noise without any."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from capacity.information import (
    conditional_v_entropy,
    label_losses,
    logistic_regression,
    marginal_losses,
    pointwise_v_information,
    usable_measures,
    v_information,
)


def test_losses_are_those_of_scikit_learn_and_bear_large_logits():
    logits = np.random.default_rng(0).normal(size=(50, 3))
    labels = np.arange(50) % 3
    odds = np.exp(logits)
    theirs = log_loss(labels, odds / odds.sum(1, keepdims=True)) / np.log(2)
    assert label_losses(logits, labels).mean() == pytest.approx(theirs)
    assert label_losses(logits + 1e4, labels).mean() == pytest.approx(theirs)
    assert label_losses(np.array([[0.0, 1000]]), np.array([0])) == pytest.approx(1000 / np.log(2))


def test_the_model_without_inputs_by_hand():
    # 5 and 1 of two classes, and one more of each: 6/8 and 2/8
    losses = marginal_losses(np.array([5, 1]), np.array([0, 1]))
    np.testing.assert_allclose(losses, [-np.log2(0.75), 2])


def test_v_information_by_hand():
    marginal, losses = np.array([1.0, 1, 1, 1]), np.array([0.0, 0.5, 0.5, 2])
    assert pointwise_v_information(marginal, losses).tolist() == [1, 0.5, 0.5, -1]
    found = v_information(marginal, losses)
    assert found.value == 0.25
    # squared deviations 0.5625, 0.0625, 0.0625, 1.5625 of 3 degrees of freedom, over 4 examples
    assert found.standard_error == pytest.approx((2.25 / 3 / 4) ** 0.5)
    assert conditional_v_entropy(losses).value == 0.75


@pytest.mark.parametrize(
    ("losses", "message"),
    [([1.0], "1 held-out losses"), ([], "0 held-out"), ([1.0, np.nan], "losses hold NaN")],
)
def test_what_has_no_mean_is_refused(losses, message):
    with pytest.raises(ValueError, match=message):
        conditional_v_entropy(np.array(losses))


def test_a_network_that_diverged_is_refused():
    with pytest.raises(ValueError, match="logits hold NaN"):
        label_losses(np.array([[0.0, np.nan]]), np.array([0]))


def test_the_regression_is_that_of_scikit_learn():
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(300, 4))
    labels = (inputs @ draw.normal(size=(4, 3)) + draw.normal(size=(300, 3))).argmax(1)
    kernel, bias = logistic_regression(inputs, labels, 3, decay=0.02)
    theirs = LogisticRegression(C=1 / (300 * 0.02), tol=1e-10, max_iter=1000).fit(inputs, labels)
    # L-BFGS ends where a step gains less than 2e-9 of the loss
    np.testing.assert_allclose(kernel.T, theirs.coef_, atol=2e-3)
    np.testing.assert_allclose(bias - bias.mean(), theirs.intercept_, atol=2e-3)


def test_nan_inputs_are_refused():
    with pytest.raises(ValueError, match="inputs hold NaN"):
        logistic_regression(np.array([[np.nan], [1]]), np.array([0, 1]), 2, decay=1.0)


def test_random_labels_have_none_and_digits_nearly_all():
    pixels, classes = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(classes))
    images, labels = pixels[order].astype(np.uint8), classes[order].astype(np.int32)
    found = usable_measures(images, labels, 10)
    value, error, note = found["v_information"]
    assert value is not None
    assert error is not None
    assert value > 2.8  # of 3.32; scikit-learn's has 96 % right
    assert note == "fitted to 1618, held out 179"
    random = usable_measures(images, np.random.default_rng(1).permutation(labels), 10)
    value, error, _ = random["v_information"]
    assert value is not None
    assert error is not None
    assert value < 3 * error


def test_noise_is_a_floor():
    # a label equal to the input but for a fifth, which is the other one: H(Y|X) = h(0.2)
    draw = np.random.default_rng(0)
    inputs = draw.integers(0, 2, (20_000, 1))
    labels = np.where(draw.random(20_000) < 0.2, 1 - inputs[:, 0], inputs[:, 0])
    value, error, _ = usable_measures(inputs.astype(np.uint8), labels, 2)["conditional_v_entropy"]
    assert value == pytest.approx(0.7219, abs=4 * (error or 0))


@pytest.mark.parametrize(
    ("inputs", "labels", "note"),
    [
        (np.zeros((19, 2)), np.arange(19) % 2, "examples: 19, where at least 20 are needed"),
        (np.zeros((40, 2)), np.zeros(40, np.int64), "all labels are of one class"),
        (np.full((40, 2), np.nan), np.arange(40) % 2, "inputs hold NaN"),
        (np.zeros((40, 2)), np.linspace(0, 1, 40), "labels of type float64"),
    ],
)
def test_what_has_no_v_information_is_none_and_a_sentence(inputs, labels, note):
    for measure in usable_measures(inputs, labels, 2).values():
        assert measure.value is None
        assert measure.note.startswith(note)
