"""Defines rectifiers whose backward pass follows another rule than their derivative.

A model takes one as its nonlinearity: `model.clone(nonlinearity=guided(nn.relu))` computes the same
logits and another gradient. Let s be the signal from the layer above, f the nonlinearity and x its
input:

| rule | signal that is passed on |
| --- | --- |
| gradient | s f'(x) |
| `deconvolved` | max(s, 0) |
| `guided` | max(s, 0) f'(x) |
| `redirected` | s f'(x); if that is 0 everywhere, s where it does not lower a negative x further |

For a rectifier, f'(x) = [x > 0]. Springenberg et al., 2015, Striving for simplicity: the all
convolutional net, section 3.4 and figure 1.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

Nonlinearity = Callable[[Array], Array]


def guided(nonlinearity: Nonlinearity) -> Nonlinearity:
    """Returns the nonlinearity with the backward pass of guided backpropagation.

    Passes on max(s, 0) f'(x): a signal passes where it is positive and the input was positive too.

    Args:
        nonlinearity: a nonlinearity of one array, such as `nn.relu`.

    Returns:
        A nonlinearity with the same values.
    """

    return with_backward_pass(
        nonlinearity,
        lambda x: jax.vjp(nonlinearity, x),
        lambda derivative, signal: derivative(jnp.maximum(signal, 0.0)),
    )


def deconvolved(nonlinearity: Nonlinearity) -> Nonlinearity:
    """Returns the nonlinearity with the backward pass of the deconvnet.

    Passes on max(s, 0): the signal itself is rectified, whatever the input was.

    Convolutions already pass a gradient through their transposed filters, and max pooling passes it
    to the position of the maximum. With this rule, a gradient is therefore the deconvnet of Zeiler
    and Fergus, 2014, section 2.1, whose "unpooling with switches" is `unpooling.unpool`, the
    gradient of `nn.pooling.max_pool`. Two details differ: a window with several equal maxima, such
    as zeros, spreads the signal over all of them, where a switch names one position; and local
    response normalization passes on its own gradient.

    Args:
        nonlinearity: a nonlinearity of one array, such as `nn.relu`.

    Returns:
        A nonlinearity with the same values.
    """

    return with_backward_pass(
        nonlinearity,
        lambda x: (nonlinearity(x), None),
        lambda _, signal: (jnp.maximum(signal, 0.0),),
    )


def redirected(nonlinearity: Nonlinearity) -> Nonlinearity:
    """Returns the nonlinearity with a backward pass that reaches silent units too.

    Passes on s f'(x). For an example of which nothing passes, because all units that the loss
    depends on are silent, it passes on s except where x < 0 and s > 0, that is, where descent would
    lower x further. An image can then be optimized for a unit that is silent at first. From the
    "redirected ReLU" of lucid, github.com/tensorflow/lucid, misc/redirected_relu_grad.py.

    Args:
        nonlinearity: a nonlinearity of one array with examples along its first axis, such as
            `nn.relu`.

    Returns:
        A nonlinearity with the same values.
    """

    def keep(x):
        values, derivative = jax.vjp(nonlinearity, x)
        return values, (x, derivative)

    def backward(kept, signal):
        x, derivative = kept
        (passed,) = derivative(signal)
        others = tuple(range(1, x.ndim))
        is_silent = (passed == 0.0).all(others, keepdims=True)
        return (jnp.where(is_silent, jnp.where((x < 0.0) & (signal > 0.0), 0.0, signal), passed),)

    return with_backward_pass(nonlinearity, keep, backward)


def with_backward_pass(
    nonlinearity: Nonlinearity,
    keep: Callable[[Array], tuple[Array, Any]],
    backward: Callable[[Any, Array], tuple[Array]],
) -> Nonlinearity:
    """Returns the nonlinearity with another backward pass.

    Args:
        nonlinearity: a nonlinearity of one array.
        keep: returns the values of the nonlinearity, and what the backward pass needs.
        backward: returns the signal that is passed on, in a tuple, from what `keep` kept and from
            the signal that arrives.

    Returns:
        A nonlinearity with the same values.
    """

    @jax.custom_vjp
    def forward(x):
        return nonlinearity(x)

    forward.defvjp(keep, backward)
    return forward
