"""Trains one neuron by the perceptron rule, and computes the bound on its mistakes."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

Points = Float[Array | np.ndarray, "point dim"]
Targets = Float[Array | np.ndarray, " point"]
Activation = Callable[[Array], Array]


class Epoch(NamedTuple):
    """Holds what one pass over the points does to a neuron.

    Attributes:
        weights: the weights after each point; the first weight is the bias w_0.
        mistakes: whether the neuron was on the wrong side of each point before that update.
    """

    weights: Float[Array, "point dim_1"]
    mistakes: Bool[Array, " point"]


class PerceptronRun(NamedTuple):
    """Holds a training by the perceptron rule.

    Attributes:
        weights: the weights before the first mistake and after each one, (1 + mistake, 1 + dim).
        examples: the index of the point of each mistake.
        epochs: the number of passes over the points.
        converged: whether the last pass had no mistake.
        cycle: the number of passes after which the same weights return, so that training never
            ends; 0 if no such return was seen.
    """

    weights: Float[np.ndarray, "state dim_1"]
    examples: np.ndarray
    epochs: int
    converged: bool
    cycle: int

    @property
    def mistakes(self) -> int:
        """Returns the number of mistakes, which is the number of updates."""
        return len(self.examples)


class Margin(NamedTuple):
    """Holds how well two classes can be separated, which bounds the mistakes of a perceptron.

    Attributes:
        radius: R, the largest length of a point, its constant 1 for the bias included.
        margin: gamma, the largest possible distance of all points from a separating plane through
            the origin of the extended space; 0 if no plane separates the classes.
        normal: the unit normal of that plane, the bias first; zeros if there is none.
    """

    radius: float
    margin: float
    normal: Float[np.ndarray, " dim_1"]

    @property
    def bound(self) -> float:
        """Returns (R / gamma)^2, the largest possible number of mistakes; infinity if gamma is 0.

        Novikoff, 1962, On convergence proofs on perceptrons.
        """
        return (self.radius / self.margin) ** 2 if self.margin > 0.0 else float("inf")


def with_constant(points: Points) -> Float[Array, "point dim_1"]:
    """Returns the points with a 1 before their coordinates, whose weight is the bias.

    Args:
        points: one point per row.

    Returns:
        The extended points.
    """
    return jnp.pad(jnp.asarray(points, jnp.float32), ((0, 0), (1, 0)), constant_values=1.0)


def step_function(scores: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Returns 1 where a score is above 0, else 0: the activation of Rosenblatt's perceptron.

    Args:
        scores: the weighted sums of the inputs.

    Returns:
        The outputs.
    """
    return (scores > 0.0).astype(scores.dtype)


def neuron_output(
    weights: Float[Array | np.ndarray, " dim_1"], points: Points, activation: Activation
) -> Float[Array, " point"]:
    """Returns what the neuron of the lecture says about points.

    y = g(w_0 + sum_i x_i w_i)

    Args:
        weights: the bias w_0 and the weights w_i.
        points: the inputs x, one point per row.
        activation: the function g.

    Returns:
        One output for each point.
    """
    return activation(with_constant(points) @ jnp.asarray(weights))


def neuron_epoch(
    weights: Float[Array, " dim_1"],
    points: Points,
    targets: Targets,
    activation: Activation,
    rate: float = 1.0,
) -> Epoch:
    """Shows all points once to a neuron, which learns from each.

    w <- w + rate (t - y) x, with y = g(w x)

    With a step function as g and a rate of 1 this is the perceptron rule: only mistakes change the
    weights. With the logistic function it is stochastic gradient descent on the cross-entropy.

    Args:
        weights: the bias and the weights before the first point.
        points: the points in the order in which they are shown.
        targets: t, 0 or 1 for each point.
        activation: the function g.
        rate: the length of a step.

    Returns:
        The weights after each point, and where the output was on the wrong side of 1/2. Rosenblatt,
        1958.
    """

    def show(weights, example):
        inputs, target = example
        output = activation(inputs @ weights)
        updated = weights + rate * (target - output) * inputs
        return updated, (updated, (output > 0.5) != (target > 0.5))

    examples = (with_constant(points), jnp.asarray(targets, jnp.float32))
    _, (history, mistakes) = jax.lax.scan(show, weights, examples)
    return Epoch(history, mistakes)


@jax.jit
def _rule_epoch(weights: Float[Array, " dim_1"], points: Points, targets: Targets) -> Epoch:
    return neuron_epoch(weights, points, targets, step_function)


def train_perceptron(points: Points, targets: Targets, most_epochs: int) -> PerceptronRun:
    """Trains a perceptron from weights of 0 until a pass has no mistake.

    Args:
        points: the points, shown in this order in each pass.
        targets: 0 or 1 for each point.
        most_epochs: the number of passes after which training stops in any case.

    Returns:
        The run. It ends early, with its `cycle`, when the weights before a pass were those before
        an earlier pass: then all repeats.

    Raises:
        ValueError: `most_epochs` is below 1.
    """
    if most_epochs < 1:
        raise ValueError(f"most_epochs is {most_epochs}; it must be at least 1")
    weights = jnp.zeros(np.shape(points)[1] + 1)
    states, examples = [np.asarray(weights)[None]], [np.zeros(0, np.int64)]
    first_seen: dict[bytes, int] = {}
    for epoch in range(most_epochs):
        before = np.asarray(weights).tobytes()
        if before in first_seen:
            cycle = epoch - first_seen[before]
            return PerceptronRun(
                np.concatenate(states), np.concatenate(examples), epoch, False, cycle
            )
        first_seen[before] = epoch
        history, mistakes = map(np.asarray, _rule_epoch(weights, points, targets))
        wrong = np.flatnonzero(mistakes)
        states.append(history[wrong])
        examples.append(wrong)
        weights = jnp.asarray(history[-1])
        if not len(wrong):
            break
    converged = not len(examples[-1])
    return PerceptronRun(np.concatenate(states), np.concatenate(examples), epoch + 1, converged, 0)


def largest_margin(points: Points, targets: Targets) -> Margin:
    """Computes the largest margin with which a plane separates two classes.

    Let a_i be the extended points, with the sign changed where the target is 0. The plane's normal
    is the point of their convex hull nearest to the origin, and gamma its distance. Minimizing
    |sum_i c_i a_i|^2 + (1 - sum_i c_i)^2 over c >= 0 finds that point, up to its length.

    Args:
        points: the points.
        targets: 0 or 1 for each point.

    Returns:
        Radius, margin and normal, in float64.
    """
    from scipy.optimize import nnls

    signs = np.where(np.asarray(targets) > 0.5, 1.0, -1.0)
    extended = np.pad(np.asarray(points, np.float64), ((0, 0), (1, 0)), constant_values=1.0)
    radius = float(np.linalg.norm(extended, axis=1).max())
    signed = signs[:, None] * extended / radius
    system = np.vstack([signed.T, np.ones(len(signed))])
    shares, _ = nnls(system, np.eye(len(system))[-1], maxiter=30 * len(signed))
    nearest = signed.T @ (shares / shares.sum())
    length = float(np.linalg.norm(nearest))
    margin = float((signed @ nearest).min()) / length if length > 1e-9 else 0.0
    if margin <= 0.0:
        return Margin(radius, 0.0, np.zeros(extended.shape[1]))
    return Margin(radius, margin * radius, nearest / length)
