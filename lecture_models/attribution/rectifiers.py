"""Rectifiers that go backward by another rule than their derivative's, for a network's field.

`model.clone(nonlinearity=guided(nn.relu))` computes what the model does; only its gradient is
another. With s the signal from above, f the nonlinearity and x its input:

| rule | signal passed on |
| --- | --- |
| gradient | s f'(x) |
| `deconvolved` | max(s, 0) |
| `guided` | max(s, 0) f'(x) |

For a rectifier f'(x) = [x > 0]. Springenberg et al., "Striving for simplicity: the all
convolutional net", 2015, section 3.4, figure 1.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array

Nonlinearity = Callable[[Array], Array]


def guided(nonlinearity: Nonlinearity) -> Nonlinearity:
    """Guided backpropagation: a signal passes where it is positive and the input was too."""

    @jax.custom_vjp
    def forward(x):
        return nonlinearity(x)

    def keep(x):
        return jax.vjp(nonlinearity, x)

    def backward(derivative, signal):
        return derivative(jnp.maximum(signal, 0.0))

    forward.defvjp(keep, backward)
    return forward


def deconvolved(nonlinearity: Nonlinearity) -> Nonlinearity:
    """The deconvnet: the signal itself is rectified, whatever the input was.

    Convolutions pass a gradient through their transposed filters and maximum pooling to where the
    maximum was, so with this rule a gradient is the deconvnet of Zeiler and Fergus, 2014, section
    2.1: "unpooling with switches" is `unpooling.unpool`, the gradient of `nn.pooling.max_pool`. But
    a window of zeros throughout, whose maximum is everywhere, spreads the signal over itself where
    a switch names one place; and local response normalization passes its own gradient.
    """

    @jax.custom_vjp
    def forward(x):
        return nonlinearity(x)

    def backward(_, signal):
        return (jnp.maximum(signal, 0.0),)

    forward.defvjp(lambda x: (nonlinearity(x), None), backward)
    return forward
