"""Restricted Boltzmann machines with binary visible units, and the deep autoencoder of a stack.

Visible values between 0 and 1, as gray pixels or the activities of the machine below, are read as
probabilities. Hidden units are logistic, or linear with Gaussian noise of variance 1.
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
    """The parameters of one machine."""

    weights: Float[Array, "visible hidden"]
    visible_bias: Float[Array, " visible"]
    hidden_bias: Float[Array, " hidden"]


class HiddenUnits(NamedTuple):
    """A family p(h | x) proportional to exp(h x - base(h)) for a unit whose total input is x.

    `mean(x)` is the derivative of `log_partition(x)`, log of the sum (or integral) of that over
    h; `sample(key, x)` draws. Welling et al., 2005, Exponential family harmoniums, section 2.
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

# h is normal with mean x and variance 1; log_partition leaves out the constant log(2 pi) / 2.
LINEAR = HiddenUnits(
    base=lambda hidden: hidden**2 / 2.0,
    log_partition=lambda inputs: inputs**2 / 2.0,
    mean=lambda inputs: inputs,
    sample=lambda key, inputs: inputs + jax.random.normal(key, inputs.shape, inputs.dtype),
)


def init_rbm(key: Key[Array, ""], num_visible: int, num_hidden: int) -> RBM:
    """Normal weights of standard deviation 0.1 and biases of 0, as in the authors' rbm.m."""
    weights = 0.1 * jax.random.normal(key, (num_visible, num_hidden))
    return RBM(weights, jnp.zeros(num_visible), jnp.zeros(num_hidden))


def energy(units: HiddenUnits, rbm: RBM, visible: Visible, hidden: Hidden) -> Energies:
    """E(v, h) = -a.v - b.h - v^T W h + sum_j base(h_j); p(v, h) is proportional to exp(-E).

    a and b are the biases of v and h. Hinton and Salakhutdinov, 2006, Eq. 1; for linear units
    their supporting text has (h - b)^2 / 2, which differs by b^2 / 2: the same distribution.
    """
    interaction = jnp.sum((visible @ rbm.weights) * hidden, axis=-1)
    own = jnp.sum(units.base(hidden), axis=-1)
    return own - visible @ rbm.visible_bias - hidden @ rbm.hidden_bias - interaction


def free_energy(units: HiddenUnits, rbm: RBM, visible: Visible) -> Energies:
    """F(v) = -log sum_h exp(-E(v, h)) = -a.v - sum_j log_partition(b_j + sum_i v_i W_ij), in nats.

    p(v) is proportional to exp(-F(v)). -H log 2 for H logistic units and parameters of 0. Hinton,
    2010, A practical guide to training RBMs, section 16.1.
    """
    inputs = hidden_inputs(rbm, visible)
    return -(visible @ rbm.visible_bias) - jnp.sum(units.log_partition(inputs), axis=-1)


def hidden_inputs(rbm: RBM, visible: Visible) -> Hidden:
    """b + W^T v, which determines p(h | v)."""
    return visible @ rbm.weights + rbm.hidden_bias[None, :]


def hidden_mean(units: HiddenUnits, rbm: RBM, visible: Visible) -> Hidden:
    """E[h | v]: sigmoid(b + W^T v) for logistic units, b + W^T v for linear ones."""
    return units.mean(hidden_inputs(rbm, visible))


def sample_hidden(units: HiddenUnits, rbm: RBM, visible: Visible, key: Key[Array, ""]) -> Hidden:
    """Drawn from p(h | v), where the units are independent."""
    return units.sample(key, hidden_inputs(rbm, visible))


def visible_mean(rbm: RBM, hidden: Hidden) -> Visible:
    """p(v_i = 1 | h) = sigmoid(a + W h)."""
    return jax.nn.sigmoid(hidden @ rbm.weights.T + rbm.visible_bias[None, :])


def sample_visible(rbm: RBM, hidden: Hidden, key: Key[Array, ""]) -> Visible:
    """Drawn from p(v | h), where the units are independent: 0 or 1."""
    probabilities = visible_mean(rbm, hidden)
    return jax.random.bernoulli(key, probabilities).astype(probabilities.dtype)


def reconstruct(
    units: HiddenUnits, num_steps: int, rbm: RBM, visible: Visible, key: Key[Array, ""]
) -> Visible:
    """The visible probabilities at the end of `num_steps` steps of Gibbs sampling from `visible`.

    Every hidden state and, but for the last, every visible one is drawn. Hinton, 2010, sections
    3.1 and 3.2.
    """
    hidden_key, *later = jax.random.split(key, 2 * num_steps - 1)
    hidden = sample_hidden(units, rbm, visible, hidden_key)
    for visible_key, hidden_key in zip(later[::2], later[1::2], strict=True):
        hidden = sample_hidden(units, rbm, sample_visible(rbm, hidden, visible_key), hidden_key)
    return visible_mean(rbm, hidden)


def unroll(rbms: Sequence[RBM]) -> dict[str, Any]:
    """The parameters of a `DenseEncoder` and a `DenseDecoder` that undo what the stack does.

    The encoder goes up by each machine's weights and hidden biases, the decoder down by the
    transposed weights and visible biases: means in place of states. Hinton and Salakhutdinov,
    2006, Fig. 1.
    """
    up = [{"kernel": rbm.weights, "bias": rbm.hidden_bias} for rbm in rbms]
    down = [{"kernel": rbm.weights.T, "bias": rbm.visible_bias} for rbm in reversed(rbms)]
    return {name: _layers(each) for name, each in (("encoder", up), ("decoder", down))}


def _layers(layers: list[dict[str, Array]]) -> dict[str, dict[str, Array]]:
    return {f"Dense_{index}": layer for index, layer in enumerate(layers)}


def climb(
    units: Sequence[HiddenUnits], rbms: Sequence[RBM], visible: Visible
) -> Float[Array, "batch top"]:
    """The mean activities of the topmost machine, each fed with those of the one below."""
    return functools.reduce(
        lambda below, layer: hidden_mean(*layer, below), zip(units, rbms, strict=True), visible
    )
