"""Defines the masked autoencoder, which gives the exact likelihood of bits in one pass.

Germain et al., "MADE: masked autoencoder for distribution estimation", 2015.
"""

import itertools
import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from lecture_models.nn.masked_dense import MaskedDense, degree_mask, spread_degrees

Images = Float[Array, "batch height width channel"]
Params = Any  # A nested dict of float arrays.


class MADE(nn.Module):
    """Maps an image to the logit of each pixel given the pixels before it, row by row.

    p(x) = prod_i p(x_i | x_1, ..., x_{i-1})

    Hidden unit k has a degree m_k and sees only the first m_k pixels; the logit of pixel i sees the
    hidden units of degrees below i. Degrees are spread evenly, and not drawn as in the paper.

    Attributes:
        hidden: the number of units of each hidden layer.
        direct: whether weights also lead straight from the pixels to the logits.
    """

    hidden: tuple[int, ...]
    direct: bool = True

    @nn.compact
    def __call__(self, images: Images) -> Images:
        """Returns the logit that each pixel of images in [-1, 1] is 1 and not -1."""
        x = images.reshape(len(images), -1)
        degrees = layer_degrees(self.hidden, x.shape[1])
        h = x
        for layer, (inputs, outputs) in enumerate(itertools.pairwise(degrees[:-1])):
            h = nn.relu(MaskedDense(inputs, outputs, name=f"hidden_{layer}")(h))
        logits = MaskedDense(degrees[-2], degrees[-1], strict=True, name="output")(h)
        if self.direct:
            straight = MaskedDense(
                degrees[0], degrees[-1], strict=True, use_bias=False, name="direct"
            )
            logits = logits + straight(x)
        return logits.reshape(images.shape)

    def sample(
        self, params: Params, key: Key[Array, ""], count: int, image_shape: tuple[int, int, int]
    ) -> Images:
        """Draws images pixel by pixel, in about the work of one pass.

        A hidden unit of degree m is complete after pixel m. So each weight is used once: a new
        pixel is added to the sums of the first layer, the units that are then complete are added
        to the sums of the next layer, and so on up to the logits.

        Args:
            params: the parameters.
            key: a random key.
            count: the number of images.
            image_shape: height, width and channels of an image.

        Returns:
            Images of -1 and 1.
        """
        degrees = layer_degrees(self.hidden, math.prod(image_shape))
        kernels, biases = _masked_weights(params, degrees)
        length = len(degrees[0])
        completed = [jnp.asarray(_units_by_degree(layer, length)) for layer in degrees[1:-1]]
        direct = params.get("direct")
        straight = None
        if direct is not None:
            straight = direct["kernel"] * degree_mask(degrees[0], degrees[-1], strict=True)

        def draw(sums, inputs):
            position, pixel_key = inputs
            logit = jax.lax.dynamic_index_in_dim(sums[-1], position, axis=1, keepdims=False)
            pixel = jnp.where(
                jax.random.uniform(pixel_key, (count,)) < nn.sigmoid(logit), 1.0, -1.0
            )
            added = pixel[:, None] * kernels[0][position][None, :]
            after = [sums[0] + added]
            for units, kernel, total in zip(completed, kernels[1:], sums[1:], strict=True):
                chosen = units[position]  # The index of no unit is past the end and reads 0.
                values = nn.relu(after[-1].at[:, chosen].get(mode="fill", fill_value=0.0))
                rows = kernel.at[chosen].get(mode="fill", fill_value=0.0)
                after.append(total + values @ rows)
            if straight is not None:
                after[-1] = after[-1] + pixel[:, None] * straight[position][None, :]
            return after, pixel

        sums = [jnp.broadcast_to(bias[None, :], (count, len(bias))) for bias in biases]
        inputs = jnp.arange(length), jax.random.split(key, length)
        _, pixels = jax.lax.scan(draw, sums, inputs)
        return pixels.T.reshape(count, *image_shape)


def layer_degrees(hidden: tuple[int, ...], num_pixels: int) -> list[tuple[int, ...]]:
    """Returns the degrees of pixels, of the units of each hidden layer, and of logits.

    Args:
        hidden: the number of units of each hidden layer.
        num_pixels: the number of pixels of an image.

    Returns:
        One tuple per layer; pixels and logits have the degrees 1 to num_pixels.
    """
    ordered = tuple(range(1, num_pixels + 1))
    return [ordered, *(spread_degrees(units, num_pixels) for units in hidden), ordered]


def _masked_weights(params: Params, degrees: list[tuple[int, ...]]) -> tuple[list, list]:
    names = [*(f"hidden_{layer}" for layer in range(len(degrees) - 2)), "output"]
    kernels = [
        params[name]["kernel"] * degree_mask(inputs, outputs, strict=name == "output")
        for name, inputs, outputs in zip(names, degrees[:-1], degrees[1:], strict=True)
    ]
    return kernels, [params[name]["bias"] for name in names]


def _units_by_degree(degrees: tuple[int, ...], length: int) -> np.ndarray:
    """Lists for each pixel, from the first on, the units that are complete once it is known.

    All lists have one length; a missing unit has the index len(degrees).
    """
    units = [np.flatnonzero(np.asarray(degrees) == degree) for degree in range(1, length + 1)]
    padded = np.full((length, max(map(len, units))), len(degrees))
    for row, members in zip(padded, units, strict=True):
        row[: len(members)] = members
    return padded
