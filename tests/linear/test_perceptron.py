import jax
import numpy as np
import pytest
from sklearn.linear_model import Perceptron
from sklearn.svm import SVC

from lecture_models.linear import perceptron

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], np.float32)
XOR = np.array([0.0, 1.0, 1.0, 0.0], np.float32)


def separable(margin, count=60, dim=3, seed=0):
    """Returns points on both sides of a random plane, none nearer to it than `margin`."""
    generator = np.random.default_rng(seed)
    normal = generator.normal(size=dim)
    normal /= np.linalg.norm(normal)
    points = generator.uniform(-1.0, 1.0, (20 * count, dim))
    scores = points @ normal - 0.1
    chosen = np.flatnonzero(np.abs(scores) > margin)[:count]
    return points[chosen].astype(np.float32), (scores[chosen] > 0.0).astype(np.float32)


@pytest.mark.parametrize("margin", [0.3, 0.1, 0.02])
def test_mistakes_stay_within_the_bound_and_training_ends(margin):
    points, targets = separable(margin)
    run = perceptron.train_perceptron(points, targets, 5_000)
    best = perceptron.largest_margin(points, targets)
    assert run.converged
    assert 0 < run.mistakes <= best.bound
    outputs = perceptron.neuron_output(run.weights[-1], points, perceptron.step_function)
    np.testing.assert_array_equal(outputs, targets)


def test_each_mistake_adds_or_subtracts_the_point():
    points, targets = separable(0.1, count=12)
    run = perceptron.train_perceptron(points, targets, 500)
    extended = np.pad(points, ((0, 0), (1, 0)), constant_values=1.0)[run.examples]
    signs = 2.0 * targets[run.examples] - 1.0
    np.testing.assert_allclose(np.diff(run.weights, axis=0), signs[:, None] * extended, atol=1e-5)


def test_xor_returns_to_earlier_weights_and_never_ends():
    run = perceptron.train_perceptron(CORNERS, XOR, 1_000)
    assert not run.converged
    assert run.cycle >= 1
    assert run.epochs < 20
    best = perceptron.largest_margin(CORNERS, XOR)
    assert best.margin == 0.0
    assert best.bound == float("inf")


@pytest.mark.parametrize("outputs", [(0, 0, 0, 1), (0, 1, 1, 1), (1, 1, 1, 0), (1, 0, 1, 0)])
def test_separable_truth_tables_are_learned(outputs):
    targets = np.array(outputs, np.float32)
    run = perceptron.train_perceptron(CORNERS, targets, 100)
    assert run.converged
    assert run.mistakes <= perceptron.largest_margin(CORNERS, targets).bound


def test_the_largest_margin_is_that_of_a_support_vector_machine():
    points, targets = separable(0.1)
    best = perceptron.largest_margin(points, targets)
    extended = np.pad(points.astype(np.float64), ((0, 0), (1, 0)), constant_values=1.0)
    signed = np.concatenate([extended, -extended])  # Symmetric, so that the machine has no offset.
    machine = SVC(kernel="linear", C=1e9, tol=1e-9).fit(
        signed, np.concatenate([targets, 1 - targets])
    )
    assert best.margin == pytest.approx(1.0 / np.linalg.norm(machine.coef_), rel=1e-4)
    assert np.linalg.norm(best.normal) == pytest.approx(1.0)
    assert best.radius == pytest.approx(np.linalg.norm(extended, axis=1).max())


def test_the_margin_scales_with_the_points_but_the_bound_of_the_corners_is_known():
    points = np.array([[3.0], [-1.0]], np.float32)  # Extended: (1, 3) and (1, -1).
    best = perceptron.largest_margin(points, np.array([1.0, 0.0], np.float32))
    # Signed: (1, 3) and (-1, 1); the nearest point of their segment to 0 is (-1, 1) + (2, 2) t.
    assert best.margin == pytest.approx(np.sqrt(2.0))
    assert best.bound == pytest.approx(10.0 / 2.0)


def test_scikit_learn_learns_the_same_classes():
    points, targets = separable(0.1)
    reference = Perceptron(shuffle=False, tol=None, max_iter=200).fit(points, targets)
    run = perceptron.train_perceptron(points, targets, 500)
    ours = perceptron.neuron_output(run.weights[-1], points, perceptron.step_function)
    np.testing.assert_array_equal(reference.predict(points), ours)


def test_the_logistic_neuron_descends_the_cross_entropy():
    points, targets = separable(0.1, count=1)
    weights = jax.numpy.array([0.3, -0.2, 0.5, 0.1])
    epoch = perceptron.neuron_epoch(weights, points, targets, jax.nn.sigmoid, rate=0.25)

    def cross_entropy(weights):
        score = perceptron.neuron_output(weights, points, lambda scores: scores)[0]
        return jax.nn.softplus(score) - targets[0] * score

    expected = weights - 0.25 * jax.grad(cross_entropy)(weights)
    np.testing.assert_allclose(epoch.weights[-1], expected, rtol=1e-5)


def test_no_epochs_are_refused():
    with pytest.raises(ValueError, match="most_epochs is 0; it must be at least 1"):
        perceptron.train_perceptron(CORNERS, XOR, 0)
