"""Computes a network of two layers and its gradient by hand, with the factors of the chain rule.

The names follow the lecture: z_i = w_0i + sum_j x_j w_ji, y_i = g(w_0i + sum_j f(z_j) w_ji).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

Rows = Float[Array, "example dim"]


class TwoLayer(NamedTuple):
    """Holds the weights of a network of two layers, or their gradient.

    Attributes:
        bias_1: w_0i of the hidden layer.
        weights_1: w_ji of the hidden layer, (input, hidden).
        bias_2: w_0i of the output layer.
        weights_2: w_ji of the output layer, (hidden, output).
    """

    bias_1: Float[Array, " hidden"]
    weights_1: Float[Array, "input hidden"]
    bias_2: Float[Array, " output"]
    weights_2: Float[Array, "hidden output"]


class HiddenActivation(NamedTuple):
    """Holds the function f of the hidden units, and its derivative as a function of z."""

    value: Callable[[Array], Array]
    derivative: Callable[[Array], Array]


class Criterion(NamedTuple):
    """Holds the function g of the output units, and the loss J of their outputs.

    Attributes:
        outputs: g, from scores to outputs, row by row.
        loss: J of each row, from scores and targets.
        score_gradient: dJ/ds of each row, from scores and targets: dJ/dy times dy/ds.
    """

    outputs: Callable[[Array], Array]
    loss: Callable[[Array, Array], Array]
    score_gradient: Callable[[Array, Array], Array]


class Forward(NamedTuple):
    """Holds the values on the way from the inputs to the outputs, one row per example.

    Attributes:
        z: the weighted sums of the hidden units.
        hidden: f(z).
        scores: the weighted sums of the output units.
        outputs: y, which is g of the scores.
    """

    z: Float[Array, "example hidden"]
    hidden: Float[Array, "example hidden"]
    scores: Float[Array, "example output"]
    outputs: Float[Array, "example output"]


class SlideFactors(NamedTuple):
    """Holds the factors of the lecture's two products, for one example and one output.

    dJ/dw_2 = dJ/dy * dy/dw_2 and dJ/dw_1 = dJ/dy * dy/dz_1 * dz_1/dw_1

    Attributes:
        loss_by_output: dJ/dy, a number.
        output_by_weights_2: dy/dw_2 of each hidden unit's weight.
        output_by_z: dy/dz of each hidden unit.
        z_by_weights_1: dz/dw_1 of each input's weight, the same for all hidden units.
    """

    loss_by_output: Float[Array, ""]
    output_by_weights_2: Float[Array, " hidden"]
    output_by_z: Float[Array, " hidden"]
    z_by_weights_1: Float[Array, " input"]


def _sigmoid_derivative(z):
    value = jax.nn.sigmoid(z)
    return value * (1.0 - value)


def _squared_gradient(scores, targets):
    outputs = jax.nn.sigmoid(scores)
    return (outputs - targets) * outputs * (1.0 - outputs)


# Without a nonlinearity the network is one layer, whatever its size: W_1 W_2 is one matrix.
ACTIVATIONS = {
    "identity": HiddenActivation(lambda z: z, jnp.ones_like),
    "sigmoid": HiddenActivation(jax.nn.sigmoid, _sigmoid_derivative),
    "tanh": HiddenActivation(jnp.tanh, lambda z: 1.0 - jnp.tanh(z) ** 2),
    "relu": HiddenActivation(lambda z: jnp.maximum(z, 0.0), lambda z: (z > 0.0).astype(z.dtype)),
}
CRITERIA = {
    # J = 1/2 |y - t|^2, y = sigmoid(s): dJ/dy = y - t, dy/ds = y (1 - y).
    "squared": Criterion(
        jax.nn.sigmoid,
        lambda scores, targets: 0.5 * ((jax.nn.sigmoid(scores) - targets) ** 2).sum(-1),
        _squared_gradient,
    ),
    # J = -sum t log y, y = softmax(s): dJ/dy = -t / y, dy/ds = diag(y) - y y^T; the product is
    # y - t where the targets of an example add up to 1.
    "cross_entropy": Criterion(
        jax.nn.softmax,
        lambda scores, targets: -(targets * jax.nn.log_softmax(scores)).sum(-1),
        lambda scores, targets: jax.nn.softmax(scores) - targets,
    ),
}


def init_two_layer(
    key: Key[Array, ""], inputs: int, hidden: int, outputs: int, scale: float = 1.0
) -> TwoLayer:
    """Draws normal weights of standard deviation scale / sqrt(number of inputs); biases are 0.

    Args:
        key: a random key.
        inputs: the number of inputs.
        hidden: the number of hidden units.
        outputs: the number of output units.
        scale: the standard deviation of a unit's weighted sum for inputs of mean square 1.

    Returns:
        The weights.
    """
    first, second = jax.random.split(key)
    return TwoLayer(
        jnp.zeros(hidden),
        scale * inputs**-0.5 * jax.random.normal(first, (inputs, hidden)),
        jnp.zeros(outputs),
        scale * hidden**-0.5 * jax.random.normal(second, (hidden, outputs)),
    )


def forward(
    params: TwoLayer, inputs: Rows, activation: HiddenActivation, criterion: Criterion
) -> Forward:
    """Computes the network.

    z = w_0 + x W_1, y = g(w_0 + f(z) W_2)

    Args:
        params: the weights.
        inputs: the examples x, one per row.
        activation: the function f.
        criterion: has the function g.

    Returns:
        The values of both layers.
    """
    z = params.bias_1[None, :] + inputs @ params.weights_1
    hidden = activation.value(z)
    scores = params.bias_2[None, :] + hidden @ params.weights_2
    return Forward(z, hidden, scores, criterion.outputs(scores))


def mean_loss(
    params: TwoLayer,
    inputs: Rows,
    targets: Float[Array, "example output"],
    activation: HiddenActivation,
    criterion: Criterion,
) -> Float[Array, ""]:
    """Returns J, the mean of the criterion over the examples.

    Args:
        params: the weights.
        inputs: the examples, one per row.
        targets: the wanted outputs, one row per example.
        activation: the function of the hidden units.
        criterion: the loss.

    Returns:
        The loss, in nats for the cross-entropy.
    """
    values = forward(params, inputs, activation, criterion)
    return criterion.loss(values.scores, targets).mean()


def hand_gradient(
    params: TwoLayer,
    inputs: Rows,
    targets: Float[Array, "example output"],
    activation: HiddenActivation,
    criterion: Criterion,
) -> tuple[Float[Array, ""], TwoLayer]:
    """Returns J and its gradient by the chain rule, written out layer by layer from the last one.

    dJ/ds = dJ/dy dy/ds; dJ/dW_2 = f(z)^T dJ/ds; dJ/dz = (dJ/ds W_2^T) f'(z); dJ/dW_1 = x^T dJ/dz

    "Repeat this for every weight in the network using gradients from later layers." The gradient of
    a bias is the sum over the examples.

    Args:
        params: the weights.
        inputs: the examples x, one per row.
        targets: the wanted outputs, one row per example.
        activation: the function of the hidden units, with its derivative.
        criterion: the loss, with its gradient.

    Returns:
        The mean loss, and its gradient in the form of the weights. Rumelhart, Hinton and Williams,
        1986.
    """
    values = forward(params, inputs, activation, criterion)
    loss = criterion.loss(values.scores, targets).mean()
    by_scores = criterion.score_gradient(values.scores, targets) / len(inputs)
    by_hidden = by_scores @ params.weights_2.T
    by_z = by_hidden * activation.derivative(values.z)
    gradient = TwoLayer(
        bias_1=by_z.sum(0),
        weights_1=inputs.T @ by_z,
        bias_2=by_scores.sum(0),
        weights_2=values.hidden.T @ by_scores,
    )
    return loss, gradient


def slide_factors(
    params: TwoLayer,
    inputs: Float[Array, " input"],
    target: Float[Array, ""],
    activation: HiddenActivation,
) -> SlideFactors:
    """Returns the factors that the lecture marks purple, orange and blue, for a squared error.

    J = 1/2 (y - t)^2, y = sigmoid(w_0 + sum_j f(z_j) w_j)

    Args:
        params: the weights of a network with one output.
        inputs: one example.
        target: its wanted output.
        activation: the function f.

    Returns:
        The factors.

    Raises:
        ValueError: the network has more than one output.
    """
    count = params.weights_2.shape[1]
    if count != 1:
        raise ValueError(f"the network has {count} outputs; the lecture's factors are for 1")
    values = forward(params, inputs[None], activation, CRITERIA["squared"])
    output = values.outputs[0, 0]
    slope = output * (1.0 - output)  # dy/ds of the logistic function.
    return SlideFactors(
        loss_by_output=output - target,
        output_by_weights_2=slope * values.hidden[0],
        output_by_z=slope * params.weights_2[:, 0] * activation.derivative(values.z[0]),
        z_by_weights_1=inputs,
    )


def descend_by_hand(
    params: TwoLayer, gradient: TwoLayer, rate: float | Float[Array, ""]
) -> TwoLayer:
    """Returns the weights after one step of gradient descent.

    w <- w - rate dJ/dw

    Args:
        params: the weights.
        gradient: the gradient, in the form of the weights.
        rate: the learning rate.

    Returns:
        The new weights.
    """
    return TwoLayer(*(w - rate * dw for w, dw in zip(params, gradient, strict=True)))
