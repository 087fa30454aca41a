"""LeNet-5 for 28x28 digits, and the 84 features before its output."""

from collections.abc import Callable

import jax
from flax import linen as nn
from jaxtyping import Array, Float


class LeNet5(nn.Module):
    """LeNet-5 with every map of S2 connected to every map of C3: 61,706 parameters.

    C1 6@28x28, S2 6@14x14, C3 16@10x10, S4 16@5x5, C5 120, F6 84, and a linear layer of logits;
    convolutions are 5x5. Returns `(logits, activations)`, the activations by those names, after
    their nonlinearity.

    Departures from the paper: subsampling is a plain mean, without a coefficient, bias or sigmoid
    of its own; the output layer is linear, where the paper's has radial basis functions; tanh is
    not scaled to 1.7159 tanh(2a/3).

    Raises ValueError where the padded image is not 32x32.

    LeCun et al., "Gradient-based learning applied to document recognition", 1998, section II.B.
    """

    num_classes: int = 10
    nonlinearity: Callable[[jax.Array], jax.Array] = nn.tanh
    padding: int = 2  # Makes MNIST's 28x28 the paper's 32x32.

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channel"]
    ) -> tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]:
        batch, height, width, _ = images.shape
        if height + 2 * self.padding != 32 or width + 2 * self.padding != 32:
            raise ValueError(
                f"image is {height}x{width} with padding {self.padding}: "
                "LeNet-5 takes 32x32 after padding"
            )
        activations = {}
        convolution = nn.Conv(6, (5, 5), padding=self.padding, name="C1")
        activations["C1"] = x = self.nonlinearity(convolution(images))
        activations["S2"] = x = _halve(x)
        convolution = nn.Conv(16, (5, 5), padding="VALID", name="C3")
        activations["C3"] = x = self.nonlinearity(convolution(x))
        activations["S4"] = x = _halve(x)
        # A 5x5 convolution of 5x5 maps is a matrix product, which is faster so written.
        x = x.reshape(batch, -1)
        activations["C5"] = x = self.nonlinearity(nn.Dense(120, name="C5")(x))
        activations["F6"] = x = self.nonlinearity(nn.Dense(84, name="F6")(x))
        return nn.Dense(self.num_classes, name="output")(x), activations


def _halve(
    x: Float[Array, "batch height width channel"],
) -> Float[Array, "batch half_height half_width channel"]:
    """Means of 2x2 squares: by reshape, whose gradient is faster than a window reduction's."""
    batch, height, width, channel = x.shape
    return x.reshape(batch, height // 2, 2, width // 2, 2, channel).mean((2, 4))
