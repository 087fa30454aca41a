"""Defines restricted Boltzmann machines with binary visible units, and stacks of them.

Visible values between 0 and 1, such as gray pixels or the hidden activities of the machine below,
are read as probabilities. Hidden units are logistic, or linear with Gaussian noise of variance 1.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

Visible = Float[Array, "batch visible"]
Hidden = Float[Array, "batch hidden"]
Energies = Float[Array, " batch"]


class RBM(NamedTuple):
    """Holds the parameters of one machine."""

    weights: Float[Array, "visible hidden"]
    visible_bias: Float[Array, " visible"]
    hidden_bias: Float[Array, " hidden"]


class HiddenUnits(NamedTuple):
    """Describes hidden units by their conditional distribution, an exponential family.

    p(h | x) is proportional to exp(h x - base(h)) for a unit whose total input is x. Welling et
    al., "Exponential family harmoniums with an application to information retrieval", 2005, section
    2.

    Attributes:
        base: the function base(h) above.
        log_partition: the log of the sum (or integral) of exp(h x - base(h)) over h, a function of
            x.
        mean: E[h | x], the derivative of `log_partition`.
        sample: draws h from p(h | x), given a key and x.
    """

    base: Callable[[Array], Array]
    log_partition: Callable[[Array], Array]
    mean: Callable[[Array], Array]
    sample: Callable[[Key[Array, ""], Array], Array]


def _sample_binary(key: Key[Array, ""], inputs: Array) -> Array:
    return jax.random.bernoulli(key, jax.nn.sigmoid(inputs)).astype(inputs.dtype)


# h is 0 or 1, on with probability sigmoid(x).
LOGISTIC = HiddenUnits(
    base=jnp.zeros_like,
    log_partition=jax.nn.softplus,
    mean=jax.nn.sigmoid,
    sample=_sample_binary,
)

# h is normal with mean x and variance 1; log_partition omits the constant log(2 pi) / 2.
LINEAR = HiddenUnits(
    base=lambda hidden: hidden**2 / 2.0,
    log_partition=lambda inputs: inputs**2 / 2.0,
    mean=lambda inputs: inputs,
    sample=lambda key, inputs: inputs + jax.random.normal(key, inputs.shape, inputs.dtype),
)


def init_rbm(key: Key[Array, ""], num_visible: int, num_hidden: int) -> RBM:
    """Draws normal weights of standard deviation 0.1, and sets biases to 0.

    Args:
        key: the random key.
        num_visible: the number of visible units.
        num_hidden: the number of hidden units.

    Returns:
        The initial parameters, as in the authors' rbm.m (Hinton and Salakhutdinov, 2006).
    """
    weights = 0.1 * jax.random.normal(key, (num_visible, num_hidden))
    return RBM(weights, jnp.zeros(num_visible), jnp.zeros(num_hidden))


def energy(units: HiddenUnits, rbm: RBM, visible: Visible, hidden: Hidden) -> Energies:
    """Computes the energy of each joint state of visible and hidden units.

    E(v, h) = -a.v - b.h - v^T W h + sum_j base(h_j), and p(v, h) is proportional to exp(-E(v, h))

    a and b are the biases of v and h.

    Args:
        units: the kind of hidden units.
        rbm: the parameters.
        visible: the states v of the visible units.
        hidden: the states h of the hidden units.

    Returns:
        The energies, in nats. Hinton and Salakhutdinov, "Reducing the dimensionality of data with
        neural networks", 2006, equation 1. For linear units their supporting text has (h - b)^2 /
        2, which differs by the constant b^2 / 2, so the distribution is the same.
    """
    interaction = jnp.sum((visible @ rbm.weights) * hidden, axis=-1)
    base = jnp.sum(units.base(hidden), axis=-1)
    return base - visible @ rbm.visible_bias - hidden @ rbm.hidden_bias - interaction


def free_energy(units: HiddenUnits, rbm: RBM, visible: Visible) -> Energies:
    """Computes the free energy of each visible state.

    F(v) = -log sum_h exp(-E(v, h)) = -a.v - sum_j log_partition(b_j + sum_i v_i W_ij)

    p(v) is proportional to exp(-F(v)).

    Args:
        units: the kind of hidden units.
        rbm: the parameters.
        visible: the states v of the visible units.

    Returns:
        The free energies, in nats; -H log 2 for H logistic units if all parameters are 0. Hinton,
        "A practical guide to training restricted Boltzmann machines", 2010, section 16.1.
    """
    inputs = hidden_inputs(rbm, visible)
    return -(visible @ rbm.visible_bias) - jnp.sum(units.log_partition(inputs), axis=-1)


def hidden_inputs(rbm: RBM, visible: Visible) -> Hidden:
    """Computes the total inputs of the hidden units, b + W^T v, which determine p(h | v).

    Args:
        rbm: the parameters.
        visible: the states v of the visible units.

    Returns:
        The total input of each hidden unit.
    """
    return visible @ rbm.weights + rbm.hidden_bias[None, :]


def hidden_mean(units: HiddenUnits, rbm: RBM, visible: Visible) -> Hidden:
    """Computes E[h | v]: sigmoid(b + W^T v) for logistic units, b + W^T v for linear ones.

    Args:
        units: the kind of hidden units.
        rbm: the parameters.
        visible: the states v of the visible units.

    Returns:
        The mean of each hidden unit.
    """
    return units.mean(hidden_inputs(rbm, visible))


def sample_hidden(units: HiddenUnits, rbm: RBM, visible: Visible, key: Key[Array, ""]) -> Hidden:
    """Draws hidden states from p(h | v), under which hidden units are independent.

    Args:
        units: the kind of hidden units.
        rbm: the parameters.
        visible: the states v of the visible units.
        key: the random key.

    Returns:
        The hidden states: 0 or 1 for logistic units, real numbers for linear ones.
    """
    return units.sample(key, hidden_inputs(rbm, visible))


def visible_mean(rbm: RBM, hidden: Hidden) -> Visible:
    """Computes p(v_i = 1 | h) = sigmoid(a + W h).

    Args:
        rbm: the parameters.
        hidden: the states h of the hidden units.

    Returns:
        The probability of each visible unit.
    """
    return jax.nn.sigmoid(hidden @ rbm.weights.T + rbm.visible_bias[None, :])


def sample_visible(rbm: RBM, hidden: Hidden, key: Key[Array, ""]) -> Visible:
    """Draws visible states from p(v | h), under which visible units are independent.

    Args:
        rbm: the parameters.
        hidden: the states h of the hidden units.
        key: the random key.

    Returns:
        The visible states, 0 or 1.
    """
    probabilities = visible_mean(rbm, hidden)
    return jax.random.bernoulli(key, probabilities).astype(probabilities.dtype)


def reconstruct(
    units: HiddenUnits, num_steps: int, rbm: RBM, visible: Visible, key: Key[Array, ""]
) -> Visible:
    """Reconstructs visible values by Gibbs sampling that starts from them.

    All hidden states are drawn. Visible states are drawn too, except the last ones: the result is
    their probabilities.

    Args:
        units: the kind of hidden units.
        num_steps: the number of Gibbs steps, each from visible to hidden and back; at least 1.
        rbm: the parameters.
        visible: the values from which the chains start.
        key: the random key.

    Returns:
        The probability of each visible unit after the last step. Hinton, "A practical guide to
        training restricted Boltzmann machines", 2010, sections 3.1 and 3.2.
    """
    hidden_key, *later = jax.random.split(key, 2 * num_steps - 1)
    hidden = sample_hidden(units, rbm, visible, hidden_key)
    for visible_key, hidden_key in zip(later[::2], later[1::2], strict=True):
        hidden = sample_hidden(units, rbm, sample_visible(rbm, hidden, visible_key), hidden_key)
    return visible_mean(rbm, hidden)


def unroll(rbms: Sequence[RBM]) -> dict[str, Any]:
    """Returns the parameters of the deep autoencoder that a stack of machines initializes.

    The encoder uses weights and hidden biases from the lowest machine up, the decoder transposed
    weights and visible biases from the highest down. Units take means in place of sampled states.

    Args:
        rbms: the machines, from the lowest to the highest.

    Returns:
        The parameters of a `DenseEncoder` as "encoder", and of a `DenseDecoder` as "decoder".
        Hinton and Salakhutdinov, 2006, figure 1.
    """
    up = [{"kernel": rbm.weights, "bias": rbm.hidden_bias} for rbm in rbms]
    down = [{"kernel": rbm.weights.T, "bias": rbm.visible_bias} for rbm in reversed(rbms)]
    return {"encoder": _name_layers(up), "decoder": _name_layers(down)}


def _name_layers(layers: list[dict[str, Array]]) -> dict[str, dict[str, Array]]:
    return {f"Dense_{index}": layer for index, layer in enumerate(layers)}


def propagate_up(
    units: Sequence[HiddenUnits], rbms: Sequence[RBM], visible: Visible
) -> Float[Array, "batch top"]:
    """Computes the mean activities of the highest machine, each machine fed with those below it.

    Args:
        units: the kind of hidden units of each machine, from the lowest to the highest.
        rbms: the machines in the same order; none means that the visible values are returned.
        visible: the values of the lowest machine's visible units.

    Returns:
        The means of the highest machine's hidden units.
    """
    return functools.reduce(
        lambda below, layer: hidden_mean(*layer, below), zip(units, rbms, strict=True), visible
    )
